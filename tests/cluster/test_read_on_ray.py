"""`lenet5 read --ray`: files, archives and Parquet in, Parquet out, on the nodes of a cluster; it goes on."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from nodes import kill
from PIL import Image

pytest.importorskip("ray", reason="ray is not installed: it has an environment of its own, see CONTRIBUTING.md")

import pyarrow
from pyarrow import parquet

COUNT = 700  # two units and a part of one
pytestmark = pytest.mark.filterwarnings("default")  # Ray's own


@pytest.fixture(scope="session")
def fields(digits) -> list[bytes]:
    """Fields of two digits, each another one."""
    pixels = [np.asarray(Image.open(BytesIO(digit))) for digit in digits]
    return [_png(np.hstack([pixels[i % len(pixels)], pixels[i // len(pixels)]])) for i in range(COUNT)]


def _png(picture: np.ndarray) -> bytes:
    out = BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def folder(fields, tmp_path) -> Path:
    """With as many files of pictures."""
    (tmp_path / "fields").mkdir()
    for number, field in enumerate(fields):
        (tmp_path / "fields" / f"{number:03}.png").write_bytes(field)
    return tmp_path


@pytest.fixture
def start(cluster, tmp_path) -> Callable[..., subprocess.Popen[str]]:
    """`start(...)`: `lenet5 read` as a process that runs in the test's folder and knows the cluster."""
    variables = {**os.environ, "RAY_ADDRESS": cluster.address, "PYTHONPATH": os.pathsep.join(sys.path)}

    def begin(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "app", "read", *map(str, arguments)]
        return subprocess.Popen(
            command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return begin


@pytest.fixture
def read(start) -> Callable[..., tuple[int, str, str]]:
    """The same, ended: the exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with start(*arguments) as process:
            out, error = process.communicate(timeout=120)
            return process.returncode, out, error

    return run


def rows(output: Path) -> list[dict]:
    return sorted(parquet.read_table(output).to_pylist(), key=lambda row: row["file"])


def names(output: Path) -> list[str]:
    return [row["file"] for row in rows(output)]


def parts(output: Path) -> dict[str, int]:
    """When each part was written."""
    return {part.name: part.stat().st_mtime_ns for part in output.glob("*.parquet")}


def first_part(output: Path) -> None:
    """Wait for it."""
    until = time.monotonic() + 60
    while not parts(output):
        assert time.monotonic() < until, "it never came"
        time.sleep(0.05)


def test_it_reads_what_one_process_reads(read, fields, tmp_path):
    """Files, archives and Parquet with and without names have the answers of `lenet5 read`, errors included."""
    some = fields[:6]
    (tmp_path / "one.png").write_bytes(some[0])
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with ZipFile(tmp_path / "scans.zip", "w") as archive:
        archive.writestr("two.png", some[1])
    (tmp_path / "rows").mkdir()
    parquet.write_table(
        pyarrow.table({"file": ["three", "four"], "bytes": some[2:4]}), tmp_path / "rows" / "named.parquet"
    )
    parquet.write_table(pyarrow.table({"bytes": some[4:]}), tmp_path / "rows" / "bare.parquet", row_group_size=1)
    code, _, error = read("one.png", "broken.png", "scans.zip", "rows", "--ray", "--output", "texts", "--length", 2)
    assert code == 1
    assert "7 pictures in" in error
    assert "1 failed" in error
    found = {row["file"]: row for row in rows(tmp_path / "texts")}

    plain = ["one.png", "broken.png", "2.png", "3.png", "4.png", "5.png", "6.png"]
    for name, field in zip(plain[2:], some[1:], strict=True):
        (tmp_path / name).write_bytes(field)
    expected = [json.loads(line) for line in read(*plain, "--length", 2)[1].splitlines()]
    there = ["one.png", "broken.png", "scans.zip/two.png", "rows/named.parquet/three", "rows/named.parquet/four"]
    there += ["rows/bare.parquet#1", "rows/bare.parquet#2"]
    assert set(found) == set(there)
    for name, answer in zip(there, expected, strict=True):
        row = found[name]
        if "error" in answer:
            assert (row["error"], row["text"]) == (answer["error"]["code"], None)
        else:
            assert (row["text"], row["accepted"], row["reasons"]) == (
                answer["text"],
                answer["accepted"],
                answer["reasons"],
            )
            assert row["confidence"] == pytest.approx(answer["confidence"], abs=1e-4)
            assert (row["valid"], row["model"]) == (answer["field"]["valid"], "lenet5-field:3")
            assert (row["error"], row["expected"]) == (None, None)


def test_a_killed_run_is_gone_on_with(folder, start, read):
    """After kill -9 `--resume` keeps each part that is there, and in the end every picture has one row."""
    with start("fields", "--ray", "--output", "texts") as process:
        first_part(folder / "texts")
        process.kill()
    before = parts(folder / "texts")
    assert 0 < len(names(folder / "texts")) < COUNT
    code, _, error = read("fields", "--ray", "--output", "texts", "--resume")
    assert code == 0, error
    assert before.items() <= parts(folder / "texts").items()
    assert names(folder / "texts") == [f"fields/{number:03}.png" for number in range(COUNT)]
    assert read("fields", "--ray", "--output", "texts", "--resume")[0] == 0


def test_ctrl_c_says_how_to_go_on(folder, start):
    """The command that goes on, and the exit code."""
    with start("fields", "--ray", "--output", "texts") as process:
        first_part(folder / "texts")
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert f"of {COUNT} pictures are done" in error
    assert "go on with: lenet5 read fields --ray --output texts --resume" in error


def test_a_node_that_dies_costs_no_picture(cluster, folder, start):
    """Its work is done by another: every picture has one row."""
    with start("fields", "--ray", "--output", "texts") as process:
        first_part(folder / "texts")
        killed = next(iter(cluster.worker_nodes))
        kill(killed)
        _, error = process.communicate(timeout=180)
    cluster.remove_node(killed, allow_graceful=False)
    cluster.add_node(num_cpus=1)
    assert process.returncode == 0, error
    assert names(folder / "texts") == [f"fields/{number:03}.png" for number in range(COUNT)]


def test_what_cannot_be_is_said(read, fields, tmp_path):
    """Results that are there, a table that is not ours, Parquet without pictures, options that mean nothing."""
    (tmp_path / "one.png").write_bytes(fields[0])
    parquet.write_table(pyarrow.table({"image": fields[:1]}), tmp_path / "no.parquet")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1")
    (tmp_path / "theirs").mkdir()
    parquet.write_table(pyarrow.table({"file": ["a"]}), tmp_path / "theirs" / "part-0.parquet")
    for arguments, code, says in (
        (("one.png", "--ray", "--output", "theirs"), 2, "has results; --resume goes on with them"),
        (("one.png", "--ray", "--output", "theirs", "--resume"), 2, "is nothing that this command has written"),
        (("no.parquet", "--ray", "--output", "out"), 1, "has no column 'bytes'"),
        (("torn.parquet", "--ray", "--output", "out"), 1, "cannot be read as Parquet"),
        (("one.png", "--ray"), 2, "it needs --output FOLDER"),
        (("-", "--ray", "--output", "out"), 2, "not standard input"),
    ):
        ended, _, error = read(*arguments)
        assert (ended, says in error) == (code, True), error

"""docs/command_line.md is true: its commands run and print what it says, and its tables are the code's."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from commands import command
from running import Running, service

from app.cli import archives, inputs, pages, predict, read
from app.cli.ends import Exit

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "command_line.md").read_text()
SHELL, JSON, READY, LEAVING = re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
COMMANDS = dict(re.findall(r"^lenet5 (\w+.*?) *# (.*)$", SHELL, re.MULTILINE))
SEVEN = ROOT / "examples" / "7.png"


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the page's commands are given: a folder, a field, and what the JSON speaks of."""
    here = tmp_path_factory.mktemp("here")
    for name in ("folder", "digits"):
        (here / name).mkdir()
        (here / name / "0.png").symlink_to(SEVEN)
    (here / "digits" / "1.png").write_bytes(b"no picture")
    (here / "zip.png").symlink_to(ROOT / "examples" / "zip.png")
    return here


@pytest.fixture(scope="module")
def running(here: Path) -> Iterator[Running]:
    """`lenet5 serve` as the page gives it, but for the port."""
    assert "serve" in COMMANDS
    with service(here / "log") as serving:
        yield serving


def printed(here: Path, line: str) -> str:
    """What a command prints that has nothing to complain of."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        command(*shlex.split(line)), cwd=here, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_a_folder_is_read(here: Path) -> None:
    """A row for its picture."""
    (row,) = map(json.loads, printed(here, "predict folder/").splitlines())
    assert "predict folder/" in COMMANDS
    assert (row["file"], row["digit"]) == ("folder/0.png", 7)


def test_a_field_is_read(here: Path) -> None:
    """The line that the page shows beside the command."""
    (line,) = [line for line in COMMANDS if line.startswith("read ")]
    assert COMMANDS[line] == "a whole field: " + printed(here, line).rstrip("\n")


def test_models_are_listed_and_served(here: Path, running: Running) -> None:
    """The models that the command lists are those of the page's line of what is ready."""
    specs = [line.split("\t")[1] for line in printed(here, "models").splitlines()]
    assert "models" in COMMANDS
    assert re.sub(r":\d+:", ":8000:", running.said) == READY
    assert f": {', '.join(specs)} on cpu (onnx)\n" in READY


def test_a_service_is_measured(here: Path, running: Running) -> None:
    """`bench` has a column `client` and says that it is a lower bound, as the page says."""
    assert "bench http://127.0.0.1:8000" in COMMANDS
    found = printed(here, f"bench {running.url} --callers 1 --seconds 0.1")
    assert "client" in found.splitlines()[0]
    assert "lower bound" in found


def test_rows_of_json_are_as_shown(here: Path) -> None:
    """The same keys in the same order, the same digit, and the same code of an error."""
    done = subprocess.run(command("predict", "digits"), cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    shown = JSON.splitlines()
    rows = done.stdout.splitlines()
    for line, row in zip(shown, rows, strict=True):
        begins = re.sub(r"(0\.\d{4})\d+", r"\1", row)
        assert begins.startswith(re.split(r"\[\.\.\.\]|, \.\.\.", line)[0])
        keys = re.findall(r'"(\w+)":', line)
        assert re.findall(r'"(\w+)":', row)[: len(keys)] == keys


def test_ctrl_c_says_what_is_still_answered(digits: list[bytes], tmp_path: Path) -> None:
    """The page's line, of three requests, which are answered then."""
    with (
        service(tmp_path / "log", "--max-batch-delay", "1") as running,
        ThreadPoolExecutor(3) as pool,
        httpx.Client(base_url=running.url, timeout=30) as client,
    ):
        answers = [pool.submit(client.post, "/predict", content=digit) for digit in digits[:3]]
        running.queued(3)
        assert running.stop(signal.SIGINT) == 0
        assert [answer.result().status_code for answer in answers] == [200, 200, 200]
        assert running.process.stderr.read() == LEAVING


def test_the_tables_are_the_codes() -> None:
    """Exit codes, columns and bounds; and there are no commands but those that are tried above."""
    assert len(COMMANDS) == len(SHELL.splitlines()) == 5
    codes = {int(code) for codes in re.findall(r"^\| (\d[\d, ]*) \|", PAGE, re.MULTILINE) for code in codes.split(",")}
    assert codes == {*map(int, Exit), 128 + signal.SIGTERM}
    for columns in (predict.COLUMNS, read.COLUMNS):
        assert "`" + ",".join(["file", *columns.csv, "error", "message"]) + "`" in PAGE
    mebi = 2**20
    for bound in (
        f"{inputs.PICTURE_BYTES // mebi} MiB, and as many pixels",
        f"{inputs.FILE_BYTES // mebi // 1024} GiB, {pages.PAGES:,} pages",
        f"{archives.MEMBERS:,} members",
        f"{archives.RATIO} times its own size and {archives.SPARE_BYTES // mebi} MiB unpacked",
    ):
        assert bound in PAGE

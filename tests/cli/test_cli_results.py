"""What `lenet5 predict` gives: rows in order, formats, a table and progress for people, resuming, exit codes."""

import csv
import io
import json
import os
import pty
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest
from commands import command
from lenet5_client.schemas import ErrorBody, Prediction
from PIL import Image

from app.cli import main
from app.cli.results import Columns, done_in
from app.errors import InvalidParameter

COLUMNS = Columns(csv={"digit": str}, table={})


@pytest.fixture
def many(tmp_path: Path, digits: list[bytes]) -> Path:
    """A folder with 2,000 pictures, of which every hundredth is none."""
    folder = tmp_path / "many"
    folder.mkdir()
    for place in range(2000):
        (folder / f"{place:04}.png").write_bytes(b"none" if place % 100 == 99 else digits[place % len(digits)])
    return folder


def test_rows_come_in_order_and_a_bad_picture_costs_no_other(predict, many):
    """Each of 2,000 files has its row, in the order of their names, with all that POST /predict answers."""
    ended = predict("many")
    rows = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [row["file"] for row in rows] == [f"many/{place:04}.png" for place in range(2000)]
    for place, row in enumerate(rows):
        (ErrorBody if place % 100 == 99 else Prediction).model_validate(row)
    errors = ended.stderr.decode().splitlines()
    assert len(errors) == 20
    assert errors[0].startswith("lenet5: many/0099.png: ")
    assert errors[0].endswith(" [invalid_image]")
    assert ended.returncode == 1


def test_csv_has_a_header_and_a_row_each(predict, folder, tmp_path):
    """The name of --output says the format; what CSV must quote is quoted."""
    (folder / 'a "b",\n.png').write_bytes(b"none")
    ended = predict("digits", "--output", "out.csv")
    assert (ended.returncode, ended.stdout) == (1, b"")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(), newline="")))
    assert [row["file"] for row in rows] == [*(f"digits/{n}.png" for n in range(5)), 'digits/a "b",\n.png']
    assert rows[0]["digit"] in "0123456789"
    assert {row["accepted"] for row in rows[:5]} <= {"true", "false"}
    assert (rows[0]["model"], rows[5]["digit"], rows[5]["error"]) == ("lenet5:1", "", "invalid_image")
    again = predict("digits", "--output", "out.csv", "--resume")
    assert (again.returncode, again.stderr) == (0, b"")


@pytest.mark.parametrize(("name", "sig"), [("out.csv", signal.SIGINT), ("out.jsonl", signal.SIGTERM)])
def test_resuming_gives_what_an_uninterrupted_run_gives(predict, many, model_dir, tmp_path, name, sig):
    """A signal half way keeps the rows, says how to go on, and exits with 128 and its number; a torn end is mended."""
    assert predict("many", "--output", f"whole-{name}").returncode == 1
    run = command("predict", "many", "--output", name, "--model-dir", model_dir)
    out = tmp_path / name
    with subprocess.Popen(run, cwd=tmp_path, stderr=subprocess.PIPE) as process:
        while not (out.exists() and out.stat().st_size > 1000):
            time.sleep(0.001)
        process.send_signal(sig)
        said = process.stderr.read().decode()
    assert process.returncode == 128 + sig
    kept = out.read_bytes()
    whole = (tmp_path / f"whole-{name}").read_bytes()
    assert 1000 < len(kept) < len(whole)
    assert f"--output {name}" in said.splitlines()[-1]
    assert said.splitlines()[-1].endswith(" --resume")
    out.write_bytes(kept[:-7])
    assert predict("many", "--output", name, "--resume").returncode == 1
    assert same(out.read_bytes(), whole)


def same(one: bytes, other: bytes) -> bool:
    """The same rows, but for rounding: forward passes may have other numbers of pictures."""

    def rounded(lines: bytes) -> list[object]:
        if lines.startswith(b"{"):
            return [
                {**row, "confidence": None, "probabilities": [round(p, 4) for p in row.get("probabilities", [])]}
                for row in map(json.loads, lines.splitlines())
            ]
        return [[cell[:5] for cell in row] for row in csv.reader(lines.decode().splitlines())]

    return rounded(one) == rounded(other)


def test_resuming_does_no_picture_again(predict, folder, tmp_path):
    """Pictures that are in the output are left out, though their files have changed, and nothing else of it changes."""
    assert predict("digits", "--output", "out.jsonl").returncode == 0
    before = (tmp_path / "out.jsonl").read_bytes()
    (folder / "0.png").write_bytes(b"none")
    (folder / "9.png").write_bytes((folder / "1.png").read_bytes())
    assert predict("digits", "--output", "out.jsonl", "--resume").returncode == 0
    after = (tmp_path / "out.jsonl").read_bytes()
    assert after.startswith(before)
    assert [json.loads(line)["file"] for line in after[len(before) :].splitlines()] == ["digits/9.png"]
    assert predict("digits", "--output", "out.jsonl").returncode == 1
    assert len((tmp_path / "out.jsonl").read_bytes().splitlines()) == 6


CSV = b'file,digit,error,message\na.png,1,,\n"b\n,.png",,e,"x\ny"\n'
JSON = b'{"file":"a.png","digit":1}\n{"file":"b"}\n'


@pytest.mark.parametrize("cut", range(len(CSV)))
def test_a_torn_csv_is_cut_back_to_whole_rows(tmp_path, cut):
    """Wherever it was torn, also within quotes that hold a line's end."""
    file = tmp_path / "out.csv"
    file.write_bytes(CSV[:cut])
    names = done_in(file, COLUMNS)
    ends = [0, CSV.index(b"\na") + 1, CSV.index(b'\n"b') + 1]
    assert file.stat().st_size == max(end for end in ends if end <= cut)
    assert names == ({"a.png"} if cut >= ends[2] else set())
    file.write_bytes(CSV)
    assert done_in(file, COLUMNS) == {"a.png", "b\n,.png"}


@pytest.mark.parametrize("cut", range(len(JSON)))
def test_torn_json_lines_are_cut_back_to_whole_ones(tmp_path, cut):
    """Wherever they were torn."""
    file = tmp_path / "out.jsonl"
    file.write_bytes(JSON[:cut])
    first = JSON.index(b"\n") + 1
    assert done_in(file, None) == ({"a.png"} if cut >= first else set())
    assert file.stat().st_size == (first if cut >= first else 0)


@pytest.mark.parametrize(
    ("content", "columns"),
    [(b"shopping list\nmilk\n", None), (b"shopping list\nmilk\n", COLUMNS), (b"file,text,error,message\n", COLUMNS)],
)
def test_what_is_no_output_is_left_alone(tmp_path, content, columns):
    """--resume with another file is refused, and the file is not touched."""
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(InvalidParameter):
        done_in(file, columns)
    assert file.read_bytes() == content


def on_a_terminal(run: list, folder: Path, *, both: bool = True) -> tuple[int, str]:
    """Exit code, and what stands on a terminal of 100 columns that is standard error and, with `both`, output."""
    ours, theirs = pty.openpty()
    env = {**os.environ, "COLUMNS": "100", "TERM": "xterm-256color"}
    out = theirs if both else subprocess.DEVNULL
    with subprocess.Popen(run, cwd=folder, env=env, stdout=out, stderr=theirs, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # how a terminal's end is told
                break
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_terminal_gets_a_table(folder, model_dir, tmp_path):
    """With a header once and colours, errors by their code, and a line at the end that adds up."""
    (folder / "x\x1b[31m.png").write_bytes(b"none")
    code, shown = on_a_terminal(command("predict", "digits", "--model-dir", model_dir), tmp_path)
    assert code == 1
    assert shown.count("confidence") == 1
    assert all(f"digits/{place}.png" in shown for place in range(5))
    assert "invalid_image" in shown
    assert "digits/x\\x1b[31m.png" in shown
    assert "6 pictures in " in shown
    assert "1 failed" in shown
    assert "{" not in shown


def test_long_work_shows_how_far_it_is(model_dir, tmp_path):
    """A bar with done, total and rate on a standard error that is a terminal, whatever standard output is."""
    (tmp_path / "large").mkdir()
    Image.effect_noise((2400, 2400), 60).save(tmp_path / "large" / "0.jpg")  # takes a while
    for place in range(1, 60):
        (tmp_path / "large" / f"{place}.jpg").hardlink_to(tmp_path / "large" / "0.jpg")
    code, shown = on_a_terminal(command("predict", "large", "--model-dir", model_dir), tmp_path, both=False)
    assert code == 0
    assert "/60" in shown
    assert "/s" in shown
    assert "━" in shown


def test_a_reader_that_has_seen_enough_ends_it_quietly(many, model_dir, tmp_path):
    """As `head` does: no traceback, and the exit code that a shell gives a broken pipe."""
    run = command("predict", "many", "--model-dir", model_dir)
    with subprocess.Popen(run, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
    assert b"Traceback" not in said
    assert process.returncode == 141


def test_waiting_for_standard_input_can_be_interrupted(model_dir, tmp_path):
    """Ctrl-C ends `predict -` though its input never ends."""
    run = command("predict", "-", "--model-dir", model_dir)
    with subprocess.Popen(run, cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], (2, "invalid_parameter")),
        (["--bogus"], (2, "invalid_parameter")),
        (["digits", "--format", "xml"], (2, "invalid_parameter")),
        (["digits", "--resume"], (2, "invalid_parameter")),
        (["digits", "--format", "table", "--output", "out.txt"], (2, "invalid_parameter")),
        (["digits", "--threshold", "0.5", "--target-error", "0.1"], (2, "invalid_parameter")),
        (["digits", "--target-error", "0.1"], (2, "invalid_parameter")),  # a model without a calibration
        (["digits", "--explain", "out.png"], (2, "invalid_parameter")),
        (["digits", "--url", "ftp://host"], (2, "invalid_parameter")),
        (["digits", "--model", "other"], (1, "unknown_model")),
        (["digits", "--output", "nowhere/out.csv"], (1, "file_error")),
        (["digits/0.png", "--explain", "nowhere/out.png"], (1, "file_error")),
    ],
)
def test_what_ends_all_of_it_is_one_line_with_its_code(
    folder, model_dir, tmp_path, monkeypatch, capsys, arguments, expected
):
    """Exit code 2 for a wrong option, 1 for what cannot be used; no row on standard output."""
    monkeypatch.chdir(tmp_path)
    here = [] if "--url" in arguments else ["--model-dir", str(model_dir)]
    with pytest.raises(SystemExit) as ended:
        main(["predict", *arguments, *here])
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert (ended.value.code, line.rpartition("[")[2]) == (expected[0], f"{expected[1]}]")


def test_a_digit_is_drawn(predict, folder, tmp_path):
    """--explain writes a PNG for one picture, and for several one each into a folder, in the pictures' own order."""
    assert predict("digits/0.png", "--explain", "one.png").returncode == 0
    assert predict("digits", "--explain", "drawn").returncode == 0
    drawn = sorted(file.relative_to(tmp_path) for file in (tmp_path / "drawn").rglob("*.png"))
    assert [str(file) for file in drawn] == [f"drawn/digits/{place}.png.png" for place in range(5)]
    for file in (tmp_path / "one.png", tmp_path / drawn[0]):
        with Image.open(file) as picture:
            assert picture.width == 1000

"""What `lenet5 predict` takes: folders, globs, archives, pages and standard input, and what is wrong with them."""

import io
import json
import os
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from app.cli import archives, inputs, pages
from app.cli.inputs import Inputs
from app.errors import ServiceError


def rows(ended) -> dict[str, dict]:
    """Standard output by the pictures' names."""
    found = [json.loads(line) for line in ended.stdout.splitlines()]
    assert len({row["file"] for row in found}) == len(found)
    return {row["file"]: row for row in found}


def loaded(*arguments: object) -> dict[str, bytes | str]:
    """The bytes of each picture, or the code of its error."""
    found: dict[str, bytes | str] = {}
    for one in Inputs([os.fspath(argument) for argument in arguments]):
        try:
            found[one.name] = one.load()
        except ServiceError as error:
            found[one.name] = error.code
    return found


def tiff(*pictures: bytes, **options: object) -> bytes:
    """A TIFF with a page of each picture."""
    first, *rest = (Image.open(io.BytesIO(picture)) for picture in pictures)
    first.save(out := io.BytesIO(), "TIFF", save_all=True, append_images=rest, **options)
    return out.getvalue()


def zipped(file: Path, members: dict[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file


def test_folders_globs_archives_and_standard_input_are_read(predict, folder, digits, tmp_path):
    """A folder is read with all below it but what is hidden; each way of naming a picture gives the same answer."""
    (folder / "below").mkdir()
    (folder / "below" / "5.PNG").write_bytes(digits[5])
    (folder / ".hidden.png").write_bytes(digits[6])
    (folder / "notes.txt").write_text("no picture")
    zipped(tmp_path / "scans.zip", {"a/0.png": digits[0], "notes.txt": b"none", "__MACOSX/0.png": b"none"})
    ended = predict("digits", "digits/*[34].png", "scans.zip", "-", sent=digits[0])
    found = rows(ended)
    expected = [*(f"digits/{place}.png" for place in range(5)), "digits/below/5.PNG", "scans.zip/a/0.png", "-"]
    assert list(found) == expected
    for name in ("scans.zip/a/0.png", "-"):
        assert found[name]["probabilities"] == pytest.approx(found["digits/0.png"]["probabilities"], abs=1e-5)
    assert (ended.returncode, ended.stderr) == (0, b"")


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}, {"compression": "tiff_deflate"}, {"compression": "jpeg"}])
def test_pages_of_a_tiff_are_pictures_of_their_own(tmp_path, digits, options):
    """Each page is read as it is alone, in an archive too; a TIFF of one page keeps its name and bytes."""
    file = tmp_path / "letter.tif"
    file.write_bytes(tiff(*digits[:3], **options))
    zipped(tmp_path / "letters.zip", {"letter.tif": file.read_bytes()})
    found = loaded(file, tmp_path / "letters.zip")
    assert [name.removeprefix(f"{tmp_path}/") for name in found] == [
        f"{holder}#{page}" for holder in ("letter.tif", "letters.zip/letter.tif") for page in (1, 2, 3)
    ]
    for place, page in enumerate(list(found.values())):
        with Image.open(file) as whole, Image.open(io.BytesIO(page)) as alone:
            whole.seek(place % 3)
            assert alone.tobytes() == whole.tobytes()
    file.write_bytes(tiff(digits[0], **options))
    assert loaded(file) == {str(file): file.read_bytes()}


def test_a_tiff_that_is_cut_off_loses_no_page_in_silence(tmp_path, digits):
    """Of the pages that are missing there is one row that says so."""
    whole = tiff(*digits[:3])
    file = tmp_path / "cut.tif"
    file.write_bytes(whole[: len(whole) * 2 // 3])
    found = list(loaded(file).values())
    assert isinstance(found[0], bytes)
    assert found[-1] == "invalid_image"


def test_a_tiffs_loop_and_shared_pages_end(tmp_path, digits, monkeypatch):
    """Directories that name each other are read once; pages that share their bytes are given up as a bomb."""
    data = bytearray(tiff(*digits[:2], compression=None))
    monkeypatch.setattr(pages, "SPARE_BYTES", 0)
    first = int.from_bytes(data[4:8], "little")
    entries = int.from_bytes(data[first : first + 2], "little")
    second = int.from_bytes(data[(link := first + 2 + 12 * entries) : link + 4], "little")
    last = second + 2 + 12 * entries
    data[last : last + 4] = first.to_bytes(4, "little")
    (tmp_path / "loop.tif").write_bytes(data)
    assert len(loaded(tmp_path / "loop.tif")) == 2
    directory = bytes(data[first : first + 2 + 12 * entries])
    bomb = bytearray(data)
    at = link
    for _ in range(50):  # further directories of the first page's strips
        bomb[at : at + 4] = len(bomb).to_bytes(4, "little")
        at = len(bomb) + len(directory)
        bomb += directory + bytes(4)
    (tmp_path / "bomb.tif").write_bytes(bomb)
    found = list(loaded(tmp_path / "bomb.tif").values())
    assert isinstance(found[0], bytes)
    assert found[-1] == "image_too_large"
    monkeypatch.setattr(pages, "PAGES", 10)
    assert list(loaded(tmp_path / "bomb.tif").values()) == ["image_too_large"]


def test_a_zip_bomb_is_one_error_and_the_rest_is_read(tmp_path, digits, monkeypatch):
    """No member may have more bytes than a picture, nor an archive unpack to many times its size."""
    monkeypatch.setattr(inputs, "PICTURE_BYTES", 1_000_000)
    monkeypatch.setattr(archives, "SPARE_BYTES", 3_000_000)
    monkeypatch.setattr(archives, "RATIO", 1)
    large = zipped(tmp_path / "large.zip", {"a.png": bytes(2_000_000), "b.png": digits[0]})
    assert list(loaded(large).values()) == ["image_too_large", digits[0]]
    many = zipped(tmp_path / "many.zip", {f"{n}.png": bytes(900_000) for n in range(9)})
    codes = list(loaded(many).values())
    assert [type(one) for one in codes[:3]] == [bytes] * 3
    assert codes[4:] == ["image_too_large"] * 5


def test_an_archive_with_too_many_or_shared_members_is_refused_whole(tmp_path, digits, monkeypatch):
    """So is one that is broken, one without pictures, and an archive in an archive is no picture."""
    monkeypatch.setattr(archives, "MEMBERS", 3)
    full = zipped(tmp_path / "a.zip", {f"{n}.png": digits[0] for n in range(4)})
    assert list(loaded(full).values()) == ["file_error"]
    shared = zipped(tmp_path / "b.zip", {"1.png": digits[0], "2.png": digits[1]}, zipfile.ZIP_STORED)
    data = shared.read_bytes()
    entry = data.rindex(b"PK\1\2")
    wrong = (len(data)).to_bytes(4, "little")
    shared.write_bytes(data[: entry + 20] + wrong + data[entry + 24 :])
    assert list(loaded(shared).values()) == ["file_error"]
    (tmp_path / "c.zip").write_bytes(b"PK\3\4 and no more")
    assert list(loaded(tmp_path / "c.zip").values()) == ["file_error"]
    assert list(loaded(zipped(tmp_path / "d.zip", {"a.zip": data, "a.txt": b""})).values()) == ["file_error"]


@pytest.mark.parametrize("name", ["../a.png", "/a.png", "x/../../a.png", "..\\a.png", "C:a.png"])
def test_a_member_whose_name_leads_out_of_its_archive_is_refused(tmp_path, digits, name):
    """As its name goes into results, which other programs may take for paths; a broken member is one error too."""
    members = {name: digits[0], "good.png": digits[1], "bad.png": digits[2]}
    file = zipped(tmp_path / "a.zip", members, zipfile.ZIP_STORED)
    data = file.read_bytes()
    at = data.index(digits[2]) + 40
    file.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert list(loaded(file).values()) == ["file_error", digits[1], "file_error"]


def test_links_pipes_and_what_cannot_be_read_hold_nobody_up(predict, folder, digits, tmp_path):
    """A loop of links is not followed, a pipe not waited for, a broken link told of; an empty folder is an error."""
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "broken.png").symlink_to("nowhere.png")
    (folder / "round.png").symlink_to("round.png")
    (folder / "long.png").symlink_to("x" * 300)
    os.mkfifo(folder / "pipe.png")
    (tmp_path / "empty").mkdir()
    ended = predict("digits", "empty", "nothing*.png", long := "x" * 300)
    found = rows(ended)
    failed = {name for name, row in found.items() if "error" in row}
    assert len(found) == 11
    assert failed == {"digits/broken.png", "digits/round.png", "digits/long.png", "empty", "nothing*.png", long}
    assert {found[name]["error"]["code"] for name in failed} == {"file_error"}
    lines = ended.stderr.decode().splitlines()
    assert len(lines) == 6
    assert all(line.startswith("lenet5: ") and line.endswith(" [file_error]") for line in lines)
    assert ended.returncode == 1


def test_a_name_that_is_no_utf8_is_written_as_text(predict, tmp_path, digits):
    """And one with control characters does not reach standard error as it is."""
    for name in (b"\xff.png", "ü.png".encode(), b"a\x1b[2J\n.png"):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(digits[0] if name[0] != 97 else b"none")
    ended = predict(b"\xff.png", "ü.png", b"a\x1b[2J\n.png")
    assert list(rows(ended)) == ["\\xff.png", "ü.png", "a\x1b[2J\n.png"]
    assert ended.stderr.count(b"\n") == 1
    assert b"\x1b" not in ended.stderr


def test_two_arguments_may_name_the_same_picture(predict, folder):
    """It is read once, and a member's name that occurs twice is told apart."""
    assert len(rows(predict("digits/0.png", "digits", "digits/0.png"))) == 5


def test_members_of_one_name_are_told_apart(tmp_path, digits):
    """The second gets a number."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", digits[0])
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.png", digits[1])
    found = loaded(tmp_path / "a.zip")
    assert [name.rpartition("/")[2] for name in found] == ["a.png", "a.png (2)"]
    assert list(found.values()) == digits[:2]

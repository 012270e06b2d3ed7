"""Somebody's own digits: how they are read, and what becomes of those that cannot be."""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from own_pictures import as_folders, as_idx, as_table, leaning, png
from PIL import Image
from rich.console import Console

from app.imaging import DecodeLimits, decode, normalize
from training.errors import DatasetError
from training.own import NOT_A_DIGIT, read
from training.progress import Reporter

PICTURES, LABELS = leaning(1500, 30)


def test_a_picture_is_what_the_service_makes_of_it(tmp_path: Path) -> None:
    """Every input is bit for bit what /predict hands to the network for the same file."""
    folder = as_folders(tmp_path, PICTURES, LABELS)
    color = Image.fromarray(PICTURES[0]).convert("RGB").resize((84, 56))
    color.save(folder / "5" / "a.jpg")
    color.save(folder / "5" / "b.webp")
    files = sorted(folder.glob("*/*"))
    expected = [normalize(decode(file.read_bytes(), DecodeLimits())).input for file in files]
    own = read(folder)
    assert np.array_equal(own.inputs, np.array(expected))
    assert own.labels.tolist() == [int(file.parent.name) for file in files]


@pytest.mark.parametrize("zipped", [False, True])
def test_every_form_of_the_same_pictures_is_the_same(tmp_path: Path, zipped: bool) -> None:
    """A CSV and IDX files, zipped or not, give the same inputs and labels as the arrays they were made from."""
    table = read(as_table(tmp_path / "table", PICTURES, LABELS.tolist()))
    idx = read(as_idx(tmp_path / "idx", PICTURES, LABELS, zipped=zipped))
    for own in (table, idx):
        assert np.array_equal(own.inputs, np.array([normalize(picture).input for picture in PICTURES]))
        assert np.array_equal(own.labels, LABELS)
        assert own.groups is None
        assert own.skipped == ()


def test_folders_of_what_is_no_digit(tmp_path: Path) -> None:
    """`none` and `Rubbish` are no digit; hidden files are passed over, folders of no class are named."""
    folder = as_folders(tmp_path, PICTURES[:4], ["none", "Rubbish", 3, "unsure"])
    (folder / "3" / ".DS_Store").write_bytes(b"nothing")
    with Console(record=True, width=200) as console:
        own = read(folder, reporter=Reporter(console))
    assert sorted(own.labels.tolist()) == [3, NOT_A_DIGIT, NOT_A_DIGIT]
    assert own.counts == {"3": 1, "none": 2}
    assert own.skipped == ()
    assert "name no class: unsure" in console.export_text()


def test_what_cannot_be_read_is_listed(tmp_path: Path) -> None:
    """Each bad file is named with a stable code and a reason, and spoils no other."""
    folder = as_folders(tmp_path / "own", PICTURES[:3], [7, 7, 7])
    whole = png(PICTURES[0])
    bad = {
        "cut.png": (whole[: len(whole) // 2], "invalid_image"),
        "empty.png": (b"", "invalid_image"),
        "notes.txt": (b"7, 7, 7", "invalid_image"),
        "long.png": (png(np.zeros((2, 10_001), np.uint8)), "image_too_large"),
        "large.png": (whole + bytes(8 * 1024 * 1024), "body_too_large"),
        "white.png": (png(np.full((28, 28), 255, np.uint8)), "blank"),
    }
    for name, (content, _) in bad.items():
        (folder / "7" / name).write_bytes(content)
    os.mkfifo(folder / "7" / "pipe.png")
    (folder / "7" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (folder / "7" / "round").symlink_to(folder, target_is_directory=True)
    own = read(folder)
    codes = {Path(skipped.name).name: skipped.code for skipped in own.skipped}
    expected = {name: code for name, (_, code) in bad.items()}
    assert codes == expected | {"pipe.png": "unreadable", "gone.png": "unreadable"}
    assert all(skipped.reason for skipped in own.skipped)
    assert len(own) == 3


def test_a_link_to_a_picture_is_followed(tmp_path: Path) -> None:
    """A folder of links to pictures elsewhere is data like any other."""
    (tmp_path / "elsewhere.png").write_bytes(png(PICTURES[0]))
    (tmp_path / "own" / "5").mkdir(parents=True)
    (tmp_path / "own" / "5" / "link.png").symlink_to(tmp_path / "elsewhere.png")
    assert read(tmp_path / "own").labels.tolist() == [5]


def test_nothing_left_is_an_error(tmp_path: Path) -> None:
    """Where no picture can be read the first reason is told."""
    (tmp_path / "4").mkdir()
    (tmp_path / "4" / "x.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"of 1 pictures none .*x\.png: The bytes are no picture"):
        read(tmp_path)


def test_a_table_lists_files_that_are_not_there(tmp_path: Path) -> None:
    """A missing picture is listed with its line; the other rows, quoted or with a byte order mark before, are read."""
    table = as_table(tmp_path, PICTURES[:3], [1, "none", "RUBBISH"], ["a", "b", "a"])
    text = table.read_text().replace("pictures/1.png", "pictures/9.png").replace("pictures/0.png", '"pictures/0.png"')
    table.write_text("\ufeff" + text + "\n\n")
    own = read(table)
    assert own.labels.tolist() == [1, NOT_A_DIGIT]
    assert own.groups == ("a", "a")
    assert [(skipped.name.rpartition("/")[2], skipped.code) for skipped in own.skipped] == [
        ("9.png (line 3)", "unreadable")
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: the header has no column 'path'"),
        ("a.png,3\n", "line 1: the header has no column 'path', but 'a.png', '3'"),
        ("path,label,label\n", "line 1: a column stands twice"),
        ("path,label\n", "nothing below it"),
        ("path,label\na.png,3\nb.png,12\n", "line 3: the label is '12'"),
        ("path,label\na.png\n", "line 2: it has 1 cells, but the header has 2"),
        ("path,label\n,3\n", "line 2: the path is ''"),
        ("path,label,group\na.png,3,\n", "line 2: the group is empty"),
        ('path,label\n"a\nb.png",x\n', "line 3: the label is 'x'"),
        ('path,label\na.png,3\n"b.png,3\n', "after line 2"),
        (b"path,label\n\xff.png,3\n", "it is not UTF-8"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, content: str | bytes, message: str) -> None:
    """The message names the file, the line and what is wrong there."""
    table = tmp_path / "labels.csv"
    table.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError) as caught:
        read(table)
    assert message in str(caught.value)
    assert str(table) in str(caught.value)


def test_idx_files_that_are_not_what_they_say(tmp_path: Path) -> None:
    """Another type, cut off, longer or larger than the header says, other counts, unknown labels: one sentence each."""
    pictures = as_idx(tmp_path, PICTURES, LABELS, zipped=False)
    labels = pictures.with_name("mine-labels-idx1-ubyte")
    good, good_labels = pictures.read_bytes(), labels.read_bytes()
    huge = good[:4] + (2**31).to_bytes(4, "big") + good[8:]
    for content, message in (
        (good[:-1], "holds less"),
        (good + b"x", "holds more"),
        (gzip.compress(good)[:-20], "damaged or cut off"),
        (gzip.compress(good + bytes(10_000)), "holds more"),
        (good_labels, "no IDX file of unsigned bytes in 3 dimensions"),
        (huge, "too much"),
        (good[:4] + (29).to_bytes(4, "big") + good[8 : -28 * 42], "29 pictures, but .* has 30 labels"),
    ):
        pictures.write_bytes(content)
        with pytest.raises(DatasetError, match=message):
            read(pictures)
    pictures.write_bytes(good)
    labels.write_bytes(good_labels[:-1] + bytes([11]))
    with pytest.raises(DatasetError, match=r"label 29 \(from 0\) is 11"):
        read(pictures)
    labels.unlink()
    with pytest.raises(DatasetError, match="--labels"):
        read(pictures)


def test_the_labels_of_idx_files_may_be_named(tmp_path: Path) -> None:
    """A labels' file of any name will do when it is given; 10 is no digit."""
    pictures = as_idx(tmp_path, PICTURES, [NOT_A_DIGIT] * 30, zipped=True)
    labels = pictures.with_name("mine-labels-idx1-ubyte.gz").rename(tmp_path / "truth")
    assert read(pictures, labels).counts == {"none": 30}


@pytest.mark.parametrize("name", ["nothing", "notes.txt", "empty"])
def test_what_is_no_data(tmp_path: Path, name: str) -> None:
    """A path that is none of the three forms is told what they are, and one that is missing that it is."""
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    message = {"nothing": "There is no", "notes.txt": "neither a folder", "empty": "no folders 0 to 9"}[name]
    with pytest.raises(DatasetError, match=message):
        read(tmp_path / name)


def test_the_digest_tells_data_apart(tmp_path: Path) -> None:
    """The same pictures have the same digest; another label or group has another."""
    made = [
        read(as_table(tmp_path / str(index), PICTURES[:2], labels, groups)).sha256()
        for index, (labels, groups) in enumerate(
            [([1, 2], ["a", "b"]), ([1, 2], ["a", "b"]), ([1, 3], ["a", "b"]), ([1, 2], ["a", "c"])]
        )
    ]
    assert made[0] == made[1]
    assert len(set(made)) == 3

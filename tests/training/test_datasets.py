"""Data sets: what is found, and what is refused."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from training import datasets
from training.datasets import idx, mnist
from training.datasets.idx import IdxFile
from training.datasets.npz import ArraySpec, NpzFile
from training.datasets.source import Dataset
from training.errors import DatasetError

PIXELS = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
CONTENT = bytes([0, 0, 8, 3]) + b"".join(size.to_bytes(4, "big") for size in (2, 3, 3)) + PIXELS.tobytes()
IDX = IdxFile("set/x.gz", "x", (2, 3, 3), hashlib.sha256(CONTENT).hexdigest(), ())


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(array.tobytes()).hexdigest()


def place(folder: Path, content: bytes, name: str = "x.gz") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    return folder / name


def test_mnist_is_here_and_whole() -> None:
    """A clean clone has both parts of MNIST, with the counts and the first labels that it is known by."""
    train, test = datasets.load("mnist-train"), datasets.load("mnist-test")
    assert train.pictures.shape == (60_000, 28, 28)
    assert test.pictures.shape == (10_000, 28, 28)
    assert train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert test.labels[:5].tolist() == [7, 2, 1, 0, 4]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_mnist_has_the_md5_sums_that_it_is_known_by() -> None:
    """The SHA-256 sums in the code are of the canonical bytes."""
    known = ("6bbc9ace898e44ae57da46a324031adb", "a25bea736e30d166cdddb491f175f624")
    for file, md5 in zip(mnist.TRAIN.files, known, strict=True):
        content = gzip.decompress((datasets.COMMITTED / file.path).read_bytes())
        assert hashlib.md5(content, usedforsecurity=False).hexdigest() == md5


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(CONTENT)[:-9], "damaged or truncated"),
        (b"not gzip", "damaged or truncated"),
        (b"", "expected 34 bytes when unzipped, found 0"),
        (gzip.compress(CONTENT[:-1]), "expected 34 bytes when unzipped, found 33"),
        (gzip.compress(CONTENT + b"x"), "expected 34 bytes when unzipped, found more"),
        (gzip.compress(CONTENT[:-1] + b"\xff"), "expected SHA-256 "),
    ],
    ids=["truncated", "no gzip", "empty", "short", "long", "another byte"],
)
def test_a_damaged_idx_file_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """A file that is not the one expected is an error with its name, what was expected and what was found."""
    location = place(tmp_path, content)
    with pytest.raises(DatasetError, match=message) as caught:
        IDX.read(location)
    assert str(location) in str(caught.value)


def test_swapped_files_are_refused(tmp_path: Path) -> None:
    """Test pictures under the name of the training pictures are an error, though both are whole."""
    train, test = mnist.TRAIN.files[1], mnist.TEST.files[1]
    place(tmp_path / "mnist", (datasets.COMMITTED / test.path).read_bytes(), Path(train.path).name)
    with pytest.raises(DatasetError, match="expected 60008 bytes when unzipped, found 10008"):
        datasets.load("mnist-train", tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\x08\x01" + CONTENT[4:], "expected the magic number 00000803, found 00000801"),
        (b"\0\0\x0d\x03" + CONTENT[4:], "found 00000d03"),
        (CONTENT[:4] + CONTENT[8:12] + CONTENT[4:8] + CONTENT[12:], r"found \(3, 2, 3\)"),
        (CONTENT[:-1], "17 bytes"),
    ],
)
def test_a_wrong_idx_header_is_refused(content: bytes, message: str) -> None:
    """Type, number of dimensions and sizes are those expected, also where the checksum says nothing."""
    with pytest.raises(DatasetError, match=message):
        idx.parse(content, (2, 3, 3), "x")


def npz(tmp_path: Path, **arrays: np.ndarray) -> Path:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, **arrays)
    return path


def npz_file(array: np.ndarray) -> NpzFile:
    return NpzFile("set/x.npz", (ArraySpec("x", array.shape, array.dtype.str, sha256(array)),), "By hand.")


def test_an_npz_file_is_read_whatever_zipped_it(tmp_path: Path) -> None:
    """The checksum is of the arrays: the same arrays in another container are as good."""
    np.savez(tmp_path / "x.npz", x=PIXELS)
    assert np.array_equal(npz_file(PIXELS).read(tmp_path / "x.npz")["x"], PIXELS)
    assert np.array_equal(npz_file(PIXELS).read(npz(tmp_path, x=PIXELS))["x"], PIXELS)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (PIXELS[:1], r"expected x as \|u1\(2, 3, 3\), found \|u1\(1, 3, 3\)"),
        (PIXELS.astype(np.int32), "found <i4"),
        (PIXELS + 1, "expected SHA-256"),
        (np.array([{"a": 1}]), "allow_pickle"),
    ],
    ids=["count", "type", "content", "pickle"],
)
def test_another_array_is_refused(tmp_path: Path, array: np.ndarray, message: str) -> None:
    """Wrong shape, type or content is an error, and nothing is unpickled."""
    with pytest.raises(DatasetError, match=message):
        npz_file(PIXELS).read(npz(tmp_path, x=array))


def test_a_damaged_npz_file_is_refused(tmp_path: Path) -> None:
    """Truncated, with another array only, or no zip at all: an error, always of the same kind."""
    path = npz(tmp_path, x=PIXELS)
    content = path.read_bytes()
    for bad in (content[:-30], b"", b"PK\x03\x04", content[: len(content) // 2]):
        path.write_bytes(bad)
        with pytest.raises(DatasetError, match="found damage"):
            npz_file(PIXELS).read(path)
    with pytest.raises(DatasetError, match="found damage"):
        npz_file(PIXELS).read(npz(tmp_path, y=PIXELS))


def test_pictures_and_labels_have_the_same_count(tmp_path: Path) -> None:
    """A set with fewer labels than pictures is an error, though each file is right by itself."""
    labels = np.zeros(1, np.uint8)
    file = NpzFile(
        "x.npz", tuple(ArraySpec(k, a.shape, "|u1", sha256(a)) for k, a in (("x", PIXELS), ("y", labels))), ""
    )
    npz(tmp_path, x=PIXELS, y=labels)
    odd = Dataset("odd", "Odd", "", "", 2, (file,), lambda arrays: (arrays["x"], arrays["y"]))
    with pytest.raises(DatasetError, match="expected 2 digits, found 2 pictures and 1 labels"):
        datasets.source.load(odd, tmp_path)


def test_the_data_folder_comes_first(tmp_path: Path) -> None:
    """A damaged file in the data folder is an error, never quietly replaced by the committed one."""
    place(tmp_path / "mnist", b"damaged", Path(mnist.TEST.files[0].path).name)
    with pytest.raises(DatasetError, match=str(tmp_path)):
        datasets.load("mnist-test", tmp_path)


@pytest.mark.parametrize("name", ["usps", "optdigits"])
def test_a_missing_set_says_how_it_is_had(tmp_path: Path, name: str) -> None:
    """What cannot be fetched is an error with the place it comes from and how it is converted."""
    with pytest.raises(DatasetError, match=r"made by hand from .*https://"):
        datasets.load(name, tmp_path)


def test_missing_mnist_says_how_it_is_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where MNIST is not, as in an installed wheel, the error names the command that fetches it."""
    monkeypatch.setattr(datasets.source, "COMMITTED", tmp_path)
    with pytest.raises(DatasetError, match="python -m training fetch mnist"):
        datasets.load("mnist-test", tmp_path)


def test_an_unknown_set_names_the_known_ones() -> None:
    """A misspelt name is an error that lists the names."""
    with pytest.raises(DatasetError, match="mnist-train, mnist-test, usps, optdigits"):
        datasets.load("mnits")


def test_every_file_has_a_way_to_be_had() -> None:
    """Every file has mirrors or an instruction, and a checksum for every array."""
    for known in datasets.DATASETS.values():
        for file in (*known.files, mnist.WRITERS):
            assert file.mirrors or file.by_hand
            assert all(len(digest) == 64 for digest in file.checksums.values())

"""MNIST (LeCun, Cortes, Burges): digits of NIST's forms, 28x28, anti-aliased, centred by mass.

The MD5 sums that the unzipped files are known by: training pictures 6bbc9ace898e44ae57da46a324031adb, labels
a25bea736e30d166cdddb491f175f624; test pictures 2646ac647ad5339dbf082846283269ea, labels
27ae3e4e09519cfbb04c329615203637. The SHA-256 sums below are of the same bytes.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.datasets.idx import IdxFile
from training.datasets.npz import ArraySpec, NpzFile
from training.datasets.source import Array, Dataset, locate

MIRRORS = ("https://ossci-datasets.s3.amazonaws.com/mnist/", "https://storage.googleapis.com/cvdf-datasets/mnist/")
URL = "http://yann.lecun.com/exdb/mnist/"
LICENCE = "CC BY-SA 3.0"


def _file(name: str, key: str, shape: tuple[int, ...], sha256: str) -> IdxFile:
    return IdxFile(f"mnist/{name}", key, shape, sha256, tuple(mirror + name for mirror in MIRRORS))


def _to_digits(arrays: Mapping[str, Array]) -> tuple[Array, Array]:
    return arrays["pictures"], arrays["labels"]


TRAIN = Dataset(
    name="mnist-train",
    title="MNIST, training part",
    url=URL,
    licence=LICENCE,
    count=60_000,
    files=(
        _file(
            "train-images-idx3-ubyte.gz",
            "pictures",
            (60_000, 28, 28),
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        _file(
            "train-labels-idx1-ubyte.gz",
            "labels",
            (60_000,),
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
    ),
    to_digits=_to_digits,
)

TEST = Dataset(
    name="mnist-test",
    title="MNIST, test part",
    url=URL,
    licence=LICENCE,
    count=10_000,
    files=(
        _file(
            "t10k-images-idx3-ubyte.gz",
            "pictures",
            (10_000, 28, 28),
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        _file(
            "t10k-labels-idx1-ubyte.gz",
            "labels",
            (10_000,),
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    to_digits=_to_digits,
)

WRITERS = NpzFile(
    path="mnist/train_writers.npz",
    arrays=(
        ArraySpec("writer", (60_000,), "<i4", "8ddbedf4aba833f42e66bd8dfb76dc650e90a880571bb74494a0f1b37ac92652"),
        ArraySpec(
            "writer_digit_index", (60_000,), "<i4", "97a59b3b7551acd13e1b4153f65068ce0e46d31c15e1df32a27ae84e127282ec"
        ),
        ArraySpec("hsf", (60_000,), "|u1", "b982c3bbf12a4930b57fedb4ee6549f261ab606e0a90e648691d41147c4bfc01"),
    ),
    by_hand=(
        "It says who wrote each training digit and is made by hand from qmnist-train-labels.idx2-int.gz of "
        "https://github.com/facebookresearch/qmnist: its columns 1, 2 and 3 are hsf (uint8), writer and "
        "writer_digit_index (int32); save the three with numpy.savez_compressed."
    ),
)
"""QMNIST's labels (Yadav and Bottou, 2019): row i speaks of training digit i."""


def writers(data_dir: Path | None = None) -> npt.NDArray[np.int32]:
    """Who wrote each digit of the training part: int32 (60000,), 539 writers, none of them in the test part.

    Raises:
        DatasetError: `mnist/train_writers.npz` is missing or is another file.
    """
    return WRITERS.read(locate(WRITERS, data_dir))["writer"]

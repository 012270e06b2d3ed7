"""Arrays in a .npz file, for sets that are converted by hand; each array has its own checksum.

The container's bytes differ with the zlib that wrote it, the arrays' do not.
"""

import hashlib
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.datasets.source import Array
from training.errors import DatasetError


@dataclass(frozen=True)
class ArraySpec:
    """One array of the file."""

    key: str
    shape: tuple[int, ...]
    dtype: str  # as numpy writes it, byte order included
    sha256: str  # of the array's bytes in C order


@dataclass(frozen=True)
class NpzFile:
    """One .npz file; nothing in it is ever unpickled."""

    path: str
    arrays: tuple[ArraySpec, ...]
    by_hand: str
    mirrors: tuple[str, ...] = ()

    @property
    def max_bytes(self) -> int:
        """Zip makes nothing much larger than it was."""
        sizes = (int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize for spec in self.arrays)
        return sum(sizes) + 64 * 1024

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of every array's bytes."""
        return {spec.key: spec.sha256 for spec in self.arrays}

    def read(self, location: Path) -> dict[str, Array]:
        """The arrays by key, once each has the shape, type and checksum expected.

        Raises:
            DatasetError: the file is damaged, lacks an array, or holds another one.
        """
        try:
            with location.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
                arrays = {spec.key: archive[spec.key] for spec in self.arrays}
        except (OSError, EOFError, KeyError, ValueError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            keys = ", ".join(spec.key for spec in self.arrays)
            raise DatasetError(f"{location}: expected a .npz file with {keys}, found damage: {error}") from error
        for spec in self.arrays:
            check(arrays[spec.key], spec, str(location))
        return arrays


def check(array: Array, spec: ArraySpec, name: str) -> None:
    """Raise DatasetError unless `array` is the one described."""
    if array.shape != spec.shape or array.dtype.str != spec.dtype:
        raise DatasetError(
            f"{name}: expected {spec.key} as {spec.dtype}{spec.shape}, found {array.dtype.str}{array.shape}"
        )
    digest = hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
    if digest != spec.sha256:
        raise DatasetError(f"{name}: expected SHA-256 {spec.sha256} of {spec.key}, found {digest}")

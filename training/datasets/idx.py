"""MNIST's file format, gzipped: a magic number, the sizes as big-endian int32, then the bytes.

The two first bytes of the magic number are 0, the third is the type (8: unsigned byte), the fourth the number of
dimensions (http://yann.lecun.com/exdb/mnist/).
"""

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.datasets.source import Array
from training.errors import DatasetError

UNSIGNED_BYTE = 8


@dataclass(frozen=True)
class IdxFile:
    """One gzipped IDX file of bytes."""

    path: str
    key: str  # what its array is called
    shape: tuple[int, ...]
    sha256: str  # of the unzipped bytes: mirrors have gzipped the same bytes differently
    mirrors: tuple[str, ...]
    by_hand: str = ""

    @property
    def content_bytes(self) -> int:
        """Bytes when unzipped."""
        return 4 + 4 * len(self.shape) + math.prod(self.shape)

    @property
    def max_bytes(self) -> int:
        """Gzip makes nothing much larger than it was."""
        return self.content_bytes + 64 * 1024

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of the unzipped bytes."""
        return {self.key: self.sha256}

    def read(self, location: Path) -> dict[str, Array]:
        """The array of the file, uint8, once its checksum and its header are the ones expected.

        Raises:
            DatasetError: the file is damaged, truncated or another one.
        """
        try:
            with gzip.open(location) as stream:
                content = stream.read(self.content_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise DatasetError(
                f"{location}: expected gzip of {self.content_bytes} bytes, found a damaged or truncated file ({error})"
            ) from error
        if len(content) != self.content_bytes:
            found = f"{len(content)}" if len(content) < self.content_bytes else "more"
            raise DatasetError(f"{location}: expected {self.content_bytes} bytes when unzipped, found {found}")
        digest = hashlib.sha256(content).hexdigest()
        if digest != self.sha256:
            raise DatasetError(f"{location}: expected SHA-256 {self.sha256} when unzipped, found {digest}")
        return {self.key: parse(content, self.shape, str(location))}


def parse(content: bytes, shape: tuple[int, ...], name: str) -> Array:
    """The array in the bytes of an IDX file: uint8 of `shape`.

    Raises:
        DatasetError: the header says another type, number of dimensions or size.
    """
    header = 4 + 4 * len(shape)
    magic = bytes([0, 0, UNSIGNED_BYTE, len(shape)])
    if content[:4] != magic:
        raise DatasetError(f"{name}: expected the magic number {magic.hex()}, found {content[:4].hex()}")
    sizes = tuple(np.frombuffer(content, ">i4", len(shape), 4).tolist())
    if sizes != shape or len(content) != header + math.prod(shape):
        raise DatasetError(f"{name}: expected {shape}, found {sizes} and {len(content) - header} bytes")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)

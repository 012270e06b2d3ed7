"""The structure of a picture's file, walked before anything is decoded.

A decoding thread cannot be stopped, so every bound must hold before. The walk finds the size and the turn, counts the
parts, and leaves out of what the decoder gets all that is not pixels: text, profiles, EXIF, later frames and pages.
"""

from typing import Protocol

from app.errors import InvalidImage, UnsupportedMediaType
from app.imaging.containers import bmp, gif, jpeg, png, tiff, webp
from app.imaging.containers.common import FORMATS, Container, DecodeLimits

__all__ = ["FORMATS", "Container", "DecodeLimits", "open_container"]


class Walk(Protocol):
    """What the module of a format offers."""

    def matches(self, data: bytes) -> bool:
        """Whether the bytes begin as such a file does."""

    def walk(self, data: bytes, limits: DecodeLimits) -> Container:
        """The file's structure; raises ImageTooLarge and InvalidImage."""


WALKS: dict[str, Walk] = {"PNG": png, "JPEG": jpeg, "TIFF": tiff, "GIF": gif, "WEBP": webp, "BMP": bmp}


def open_container(data: bytes, limits: DecodeLimits) -> Container:
    """The picture's container, within the limits.

    Raises UnsupportedMediaType for a format that is not to be read, ImageTooLarge over a limit and InvalidImage for a
    broken file or one that is no picture.
    """
    if not data:
        raise InvalidImage("There is no picture: the body, or the form's file, is empty.")
    for name, container in WALKS.items():
        if container.matches(data):
            if name not in limits.formats:
                raise UnsupportedMediaType(f"Pictures in {name} are not read here.", supported=sorted(limits.formats))
            return container.walk(data, limits)
    raise InvalidImage(f"The bytes are no picture in {', '.join(sorted(limits.formats))}.", begins=data[:8].hex())

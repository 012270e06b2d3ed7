"""The structure of a picture's file, walked before anything is decoded.

A decoding thread cannot be stopped, so every bound must hold before. The walk finds the size and the turn, counts the
parts, and leaves out of what the decoder gets all that is not pixels: text, profiles, EXIF, later frames and pages.
"""

from app.errors import UnsupportedMediaType
from app.imaging.containers import bmp, gif, jpeg, png, tiff, webp
from app.imaging.containers.common import Container, DecodeLimits

__all__ = ["FORMATS", "Container", "DecodeLimits", "open_container"]

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")


def open_container(data: bytes, limits: DecodeLimits) -> Container:
    """The picture's container, within the limits.

    Raises UnsupportedMediaType for another format, ImageTooLarge over a limit and InvalidImage for a broken file.
    """
    if data.startswith(png.SIGNATURE):
        return png.walk(data, limits)
    if data.startswith(jpeg.SIGNATURE):
        return jpeg.walk(data, limits)
    if data.startswith(tiff.SIGNATURES):
        return tiff.walk(data, limits)
    if data.startswith(gif.SIGNATURES):
        return gif.walk(data, limits)
    if webp.matches(data):
        return webp.walk(data, limits)
    if data.startswith(bmp.SIGNATURE):
        return bmp.walk(data, limits)
    raise UnsupportedMediaType("The bytes are none of PNG, JPEG, TIFF, BMP, WebP and GIF.", begins=data[:8].hex())

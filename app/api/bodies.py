"""The body of a request to the encoded pictures in it: raw, or multipart form data (RFC 7578)."""

import asyncio
import sys
from collections.abc import AsyncGenerator

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.api.service import BodyLimits
from app.errors import BodyTooLarge, MalformedRequest, RequestTimeout, TooManyImages, UnsupportedMediaType

PICTURE_TYPES = (
    "image/png",
    "image/jpeg",
    "image/tiff",
    "image/bmp",
    "image/webp",
    "image/gif",
    "application/octet-stream",
)
FORM_TYPE = "multipart/form-data"
DISCARDED_BYTES = 512 * 1024 * 1024
"""Of a body over its limit, how much is read and thrown away: a client that is still writing sees no answer."""


async def one_picture(request: Request, limits: BodyLimits) -> bytes:
    """The picture of a request that may hold one: the raw body, or the form's field `file`."""
    media_type = _media_type(request)
    body = await _read(request, limits.max_bytes, limits)
    if media_type != FORM_TYPE:
        return body
    return (await _files(request, body, "file", 1))[0]


async def many_pictures(request: Request, limits: BodyLimits) -> list[bytes]:
    """The pictures of a request that may hold many: the form's fields `files`, or the raw body as the only one."""
    media_type = _media_type(request)
    body = await _read(request, limits.max_batch_bytes, limits)
    if media_type != FORM_TYPE:
        return [body]
    return await _files(request, body, "files", limits.max_batch_pictures)


def _media_type(request: Request) -> str:
    """The request's content type; none at all means any bytes."""
    media_type = request.headers.get("content-type", "application/octet-stream").split(";")[0].strip().lower()
    if media_type != FORM_TYPE and media_type not in PICTURE_TYPES:
        raise UnsupportedMediaType(
            "Send the picture as the body with its own Content-Type, such as image/png, or as multipart/form-data.",
            content_type=media_type[:100],
            supported=[*PICTURE_TYPES, FORM_TYPE],
        )
    return media_type


async def _read(request: Request, limit: int, limits: BodyLimits) -> bytes:
    """The whole body; what is over the limit is read to its end before it is refused, so that the answer is seen."""
    too_large = BodyTooLarge(f"The body has more than {limit} bytes.", limit=limit)
    if _waits_to_write(request) and int(request.headers.get("content-length", 0)) > limit:
        raise too_large
    parts: list[bytes] = []
    size, more = 0, True
    start = asyncio.get_running_loop().time()
    try:
        async with asyncio.timeout_at(start + limits.timeout) as timer:
            while more and size <= DISCARDED_BYTES:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk, more = message.get("body", b""), message.get("more_body", False)
                size += len(chunk)
                if size <= limit:
                    parts.append(chunk)
                else:
                    parts.clear()
                timer.reschedule(start + limits.timeout + size / limits.min_rate)
    except TimeoutError:
        raise RequestTimeout("The body came in too slowly.", received=size) from None
    if size > limit:
        raise too_large
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _waits_to_write(request: Request) -> bool:
    """Whether the client waits for our word before it sends the body (RFC 9110, section 10.1.1)."""
    return request.headers.get("expect", "").lower() == "100-continue"


class _InMemory(MultiPartParser):
    """Starlette's parser; pictures are never written to a disk."""

    spool_max_size = sys.maxsize


async def _files(request: Request, body: bytes, field: str, most: int) -> list[bytes]:
    """The files in a form's field, in order."""

    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await _InMemory(request.headers, stream(), max_files=most, max_fields=most).parse()
    except MultiPartException as error:
        if error.message.startswith("Too many files"):  # it has no class of its own
            raise TooManyImages(f"The form holds more than {most} pictures.", limit=most) from None
        raise MalformedRequest(f"The form cannot be parsed: {error.message}") from None
    values = form.getlist(field)
    try:
        files = [await value.read() for value in values if isinstance(value, UploadFile)]
    finally:
        await form.close()
    if not files or len(files) < len(values):
        raise MalformedRequest(
            f"The form has no file in the field {field!r}; a part with a picture needs a filename.",
            field=field,
            fields=sorted(set(form.keys()))[:20],
        )
    return files

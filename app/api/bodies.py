"""The body of a request to the encoded pictures in it: raw, or multipart form data (RFC 7578)."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from app.api.caller import Due
from app.api.service import BodyLimits, headers_of
from app.errors import (
    BodyTooLarge,
    InvalidParameter,
    MalformedRequest,
    RequestTimeout,
    TooManyImages,
    UnsupportedMediaType,
)
from app.serving.admission import Ticket

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
TENSOR_TYPES = (
    "application/json",
    "application/octet-stream",
    "application/x-www-form-urlencoded",  # what curl -d says of any body
)
OTHER_PARTS = 16
"""Parts of a form besides its pictures."""
TEXT_BYTES = 4 * 1024 * 1024
"""Of one part without a filename."""


async def one_picture(request: Request, limits: BodyLimits, ticket: Ticket) -> bytes:
    """The picture of a request that may hold one: the raw body, or the form's field `file`."""
    form = _media_type(request) == FORM_TYPE
    chunks = _chunks(request, limits.max_bytes, limits, ticket)
    return (await _sent(request, chunks, "file", 1)).pictures[0] if form else await _joined(chunks)


@dataclass(frozen=True)
class Sent:
    """What a form holds: pictures in order, and the texts that were asked for by name."""

    pictures: list[bytes]
    texts: Mapping[str, str]


async def one_field(request: Request, limits: BodyLimits, ticket: Ticket, texts: Collection[str]) -> Sent:
    """The picture of a request that may hold one, as `one_picture`, and the texts of a form with it."""
    form = _media_type(request) == FORM_TYPE
    chunks = _chunks(request, limits.max_bytes, limits, ticket)
    return await _sent(request, chunks, "file", 1, texts) if form else Sent([await _joined(chunks)], {})


async def many_fields(request: Request, limits: BodyLimits, ticket: Ticket, texts: Collection[str]) -> Sent:
    """The pictures of a request that may hold many, as `many_pictures`, and the texts of a form with them."""
    form = _media_type(request) == FORM_TYPE
    chunks = _chunks(request, limits.max_batch_bytes, limits, ticket)
    if form:
        return await _sent(request, chunks, "files", limits.max_batch_pictures, texts)
    return Sent([await _joined(chunks)], {})


async def many_pictures(request: Request, limits: BodyLimits, ticket: Ticket) -> list[bytes]:
    """The pictures of a request that may hold many: the form's fields `files`, or the raw body as the only one."""
    form = _media_type(request) == FORM_TYPE
    chunks = _chunks(request, limits.max_batch_bytes, limits, ticket)
    if form:
        return (await _sent(request, chunks, "files", limits.max_batch_pictures)).pictures
    return [await _joined(chunks)]


async def tensors(request: Request, limits: BodyLimits, ticket: Ticket) -> bytearray:
    """The body of an inference request: JSON, and tensors in binary after it."""
    _media_type(request, TENSOR_TYPES, "send JSON as application/json, with tensors after it application/octet-stream")
    body = bytearray()  # joining 64 MiB at the end would hold everybody up for 30 ms
    async for chunk in _chunks(request, limits.max_batch_bytes, limits, ticket):
        body += chunk
    return body


def _media_type(
    request: Request,
    supported: Collection[str] = (*PICTURE_TYPES, FORM_TYPE),
    advice: str = "send the picture as the body with its own type, such as image/png, or as multipart/form-data",
) -> str:
    """The request's content type; none at all means any bytes."""
    headers = headers_of(request)
    given = headers.get(b"content-type") or b"application/octet-stream"
    media_type = given.split(b";")[0].strip().lower().decode("latin-1")
    if media_type not in supported:
        raise UnsupportedMediaType(
            f"The Content-Type {media_type[:100]!r} is not read: {advice}.",
            content_type=media_type[:100],
            supported=list(supported),
        )
    if (encoding := headers.get(b"content-encoding", b"identity").strip().lower()) != b"identity":
        raise UnsupportedMediaType(
            "Send the body as it is, without a Content-Encoding.", content_encoding=encoding[:100].decode("latin-1")
        )
    return media_type


async def _chunks(request: Request, limit: int, limits: BodyLimits, ticket: Ticket) -> AsyncGenerator[bytes, None]:
    """The body as it comes in. The middleware sees to what is left of one that is refused."""
    if int(headers_of(request).get(b"content-length", 0)) > limit:
        raise _too_large(limit)
    clock = asyncio.get_running_loop().time
    start, size, more = clock(), 0, True
    while more:
        try:
            with Due(limits.deadline(start, clock(), size)):
                message = await request.receive()
        except TimeoutError:
            raise RequestTimeout("The body came in too slowly.", received=size) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        ticket.reserve(body_bytes=len(chunk))
        yield chunk


async def _joined(chunks: AsyncGenerator[bytes, None]) -> bytes:
    parts = [chunk async for chunk in chunks]
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body has more than {limit} bytes.", limit=limit)


class _InMemory(MultiPartParser):
    """Starlette's parser; pictures are never written to a disk."""

    spool_max_size = sys.maxsize
    ended = False  # whether the closing boundary has come

    def on_end(self) -> None:
        self.ended = True

    def close(self) -> None:
        """Free every file, that of a part that was cut off included."""
        for file in self._files_to_close_on_error:
            file.close()


async def _sent(
    request: Request, chunks: AsyncGenerator[bytes, None], field: str, most: int, wanted: Collection[str] = ()
) -> Sent:
    """The files in a form's field, in order, and the texts in the fields that are `wanted`."""
    parser = _InMemory(
        request.headers, chunks, max_files=most + OTHER_PARTS, max_fields=OTHER_PARTS, max_part_size=TEXT_BYTES
    )
    files: list[bytes] = []
    texts: dict[str, str] = {}
    try:
        form = await parser.parse()
        for name in wanted:
            for value in form.getlist(name):
                texts[name] = await _text(name, value)
        values = form.getlist(field)
        for value in values:
            if isinstance(value, UploadFile):
                files.append(await value.read())
                await value.close()  # at once, so that no more than one picture is held twice
    except MultiPartException as error:
        if error.message.startswith("Too many files"):  # it has no class of its own
            raise _too_many(most) from None
        raise MalformedRequest(f"The form cannot be parsed: {error.message}") from None
    finally:
        parser.close()
    if not parser.ended:
        raise MalformedRequest("The form is cut off: its closing boundary is missing.")
    if not files or len(files) < len(values):
        raise MalformedRequest(
            f"The form has no file in the field {field!r}; a part with a picture needs a filename.",
            field=field,
            fields=sorted(set(form.keys()))[:OTHER_PARTS],
        )
    if len(files) > most:
        raise _too_many(most)
    return Sent(files, texts)


async def _text(name: str, value: UploadFile | str) -> str:
    """A form's text, whether it came as a file or not."""
    if isinstance(value, str):
        return value
    try:
        return (await value.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidParameter(f"The part {name!r} is no text in UTF-8.", parameter=name) from None


def _too_many(most: int) -> TooManyImages:
    return TooManyImages(f"The form holds more pictures than {most}.", limit=most)

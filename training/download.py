"""Fetch a file of a data set: mirrors in turn, resumed where it broke off, checked before it gets its name.

    NAME.part        what has come so far
    NAME.part.json   from where, and the validator (ETag or Last-Modified) of the very file that it is the start of

A part goes on only from the same URL and with `If-Range`, so that a server whose file has changed answers with the
whole new one (RFC 9110, 13.1.5 and 14.2). Nothing that has not the right checksum is ever called NAME.
"""

import errno
import json
import re
from dataclasses import dataclass
from pathlib import Path

import httpx
import stamina

from training.datasets import SourceFile
from training.errors import DatasetError, DownloadError
from training.progress import Reporter, Silent

TIMEOUT = httpx.Timeout(30.0, connect=10.0)  # seconds without a byte, not for the whole file
ATTEMPTS = 4  # at each mirror


@dataclass(frozen=True)
class Part:
    """A download that broke off: the first bytes of one version of the file at one URL."""

    path: Path
    url: str
    validator: str  # a strong ETag, or a Last-Modified date

    @property
    def size(self) -> int:
        """Bytes that are here."""
        return self.path.stat().st_size


def fetch(file: SourceFile, folder: Path, reporter: Reporter | None = None) -> Path:
    """The file below `folder`, fetched unless the right one is there.

    A file of that name which is not the right one is replaced once the right one has come.

    Raises:
        DownloadError: there is no mirror, none gave the right file, or the disk refuses; it says what each one did.
    """
    say = reporter or Silent()
    target = folder / file.path
    if target.is_file() and (reason := wrong_with(file, target)) is None:
        say.line(f"{target} is here and right")
        return target
    if not file.mirrors:
        raise DownloadError(f"{file.path} cannot be fetched by this program. {file.by_hand}")
    if target.is_file():
        say.line(f"{reason}; it is fetched anew")
    failures = []
    for url in file.mirrors:
        try:
            _from_mirror(url, file, target, say)
        except (httpx.HTTPError, DatasetError) as error:
            failures.append(f"{url}: {str(error) or type(error).__name__}")
            say.line(failures[-1])
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                _forget(target)  # give the room back
            raise DownloadError(f"{target} cannot be written: {error.strerror}") from error
        else:
            say.line(f"{target} fetched from {url}")
            return target
    raise DownloadError(f"No mirror gave {file.path}: " + "; ".join(failures))


def wrong_with(file: SourceFile, location: Path) -> str | None:
    """Why the file at `location` is not the right one; None when it is."""
    try:
        file.read(location)
    except DatasetError as error:
        return str(error)
    return None


def _from_mirror(url: str, file: SourceFile, target: Path, say: Reporter) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in stamina.retry_context(on=_is_passing, attempts=ATTEMPTS, timeout=None):
        with attempt:
            _transfer(url, file, target, say)
    part = part_of(target)
    try:
        file.read(part)
    except DatasetError:
        _forget(target)
        raise
    part.replace(target)
    _note_of(target).unlink(missing_ok=True)


def _is_passing(error: Exception) -> bool:
    """Whether the same request may do better a moment later."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 429, 500, 502, 503, 504)
    return isinstance(error, httpx.TransportError)


def _transfer(url: str, file: SourceFile, target: Path, say: Reporter) -> None:
    """One request; afterwards the part is whole, or what came of it is kept for the next one."""
    part = _usable_part(url, target)
    headers = {"Accept-Encoding": "identity"}  # the bytes as they are: ranges count those
    if part:
        headers |= {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    with httpx.stream("GET", url, headers=headers, timeout=TIMEOUT, follow_redirects=True) as response:
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE and part:
            _forget(target)  # it is as long as the file already, or longer: begin again
            raise httpx.ReadError("the server has no more bytes than came before", request=response.request)
        response.raise_for_status()
        append = part is not None and response.status_code == httpx.codes.PARTIAL_CONTENT
        have = part.size if append and part else 0
        if append and _range_start(response) != have:
            _forget(target)
            raise httpx.ReadError("the server sent another range than asked for", request=response.request)
        if not append:
            _note(target, url, response)
        length = response.headers.get("Content-Length", "")
        total = have + int(length) if length.isdigit() else None
        with part_of(target).open("ab" if append else "wb") as stream, say.meter(file.path, have, total) as advance:
            for chunk in response.iter_raw():  # with a chunk size it loses what came before a break
                have += len(chunk)
                if have > file.max_bytes:
                    _forget(target)
                    raise DownloadError(f"expected {file.max_bytes} bytes at the most, found more")
                stream.write(chunk)
                advance(len(chunk))


def _usable_part(url: str, target: Path) -> Part | None:
    try:
        note = json.loads(_note_of(target).read_text(encoding="utf-8"))
        part = Part(part_of(target), note["url"], note["validator"])
        return part if part.url == url and part.validator and part.size else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _note(target: Path, url: str, response: httpx.Response) -> None:
    """Write down what the part, which is about to begin, is the start of; no validator: it cannot be resumed."""
    part_of(target).unlink(missing_ok=True)  # never a note beside a part of something else
    etag = response.headers.get("ETag", "")
    validator = etag if etag.startswith('"') else response.headers.get("Last-Modified", "")
    _note_of(target).write_text(json.dumps({"url": url, "validator": validator}), encoding="utf-8")


def _range_start(response: httpx.Response) -> int | None:
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(found[1]) if found else None


def _forget(target: Path) -> None:
    part_of(target).unlink(missing_ok=True)
    _note_of(target).unlink(missing_ok=True)


def part_of(target: Path) -> Path:
    """Where the bytes of an unfinished download lie."""
    return target.with_name(target.name + ".part")


def _note_of(target: Path) -> Path:
    return target.with_name(target.name + ".part.json")

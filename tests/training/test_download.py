"""The downloader, against a real HTTP server on a free port."""

import errno
import gzip
import hashlib
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import stamina

from training import download
from training.datasets.idx import IdxFile
from training.download import fetch, part_of
from training.errors import DownloadError

CONTENT = bytes([0, 0, 8, 1]) + (200_000).to_bytes(4, "big") + random.Random(0).randbytes(200_000)
BODY = gzip.compress(CONTENT, mtime=0)
OTHER = gzip.compress(CONTENT[:-1] + b"\xff", mtime=0)


@dataclass
class Site:
    """What the server does, and what it was asked."""

    body: bytes = BODY
    etag: str = '"one"'
    ranges: bool = True
    break_after: int | None = None  # bytes of the next answer, once
    statuses: list[int] = field(default_factory=list)  # answers before the real one
    asked: list[dict[str, str]] = field(default_factory=list)
    url: str = ""


class Handler(BaseHTTPRequestHandler):
    """A small static file server with the faults of real ones."""

    site: Site
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(dict(self.headers))
        if site.statuses:
            self.send_response(site.statuses.pop(0))
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = 0
        wanted = self.headers.get("Range")
        if wanted and site.ranges and self.headers.get("If-Range") == site.etag:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
        if start and start >= len(site.body):
            self.send_response(416)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = site.body[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(site.body) - 1}/{len(site.body)}")
        if site.etag:
            self.send_header("ETag", site.etag)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if site.break_after is not None:
            body, site.break_after = body[: site.break_after], None
            self.close_connection = True
        self.wfile.write(body)

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


class Server(ThreadingHTTPServer):
    """Says nothing when a client hangs up."""

    def handle_error(self, *arguments: object) -> None:
        """Nothing."""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}/x.gz"
    yield site
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    with serving(Site()) as what:
        yield what


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield


def idx(*urls: str) -> IdxFile:
    return IdxFile("set/x.gz", "x", (200_000,), hashlib.sha256(CONTENT).hexdigest(), urls)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "set").iterdir())


def test_fetches_and_leaves_nothing_else(site: Site, tmp_path: Path) -> None:
    """A fetched file has the server's bytes, and nothing else lies beside it."""
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert names(tmp_path) == ["x.gz"]


def test_a_right_file_is_not_fetched_again(site: Site, tmp_path: Path) -> None:
    """What is here and right is left alone."""
    fetch(idx(site.url), tmp_path)
    fetch(idx(site.url), tmp_path)
    assert len(site.asked) == 1


def test_a_damaged_file_is_replaced(site: Site, tmp_path: Path) -> None:
    """A file of that name with other bytes is fetched anew."""
    target = fetch(idx(site.url), tmp_path)
    target.write_bytes(BODY[:-100])
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY


def test_a_broken_connection_is_resumed_by_range(site: Site, tmp_path: Path) -> None:
    """After a break only the bytes that are missing are asked for, with the validator of the first answer."""
    site.break_after = 50_000
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert [asked.get("Range") for asked in site.asked] == [None, "bytes=50000-"]
    assert site.asked[1]["If-Range"] == site.etag


def test_a_later_call_goes_on_where_an_earlier_one_stopped(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interrupt keeps the part, never the final name, and the next call asks for the rest alone."""
    site.break_after = 40_000
    with monkeypatch.context() as patch:
        patch.setattr(download, "_is_passing", lambda _: False)
        with pytest.raises(DownloadError):
            fetch(idx(site.url), tmp_path)
    assert names(tmp_path) == ["x.gz.part", "x.gz.part.json"]
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert site.asked[-1]["Range"] == "bytes=40000-"


def test_a_server_without_ranges_sends_the_whole_again(site: Site, tmp_path: Path) -> None:
    """A 200 in answer to a Range replaces what had come, rather than being added to it."""
    site.break_after, site.ranges = 50_000, False
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert "Range" in site.asked[1]


def test_a_file_that_changed_meanwhile_is_fetched_whole(site: Site, tmp_path: Path) -> None:
    """Halves of two versions are never joined: If-Range has the server send the new one from its start."""
    part = part_of(tmp_path / "set/x.gz")
    part.parent.mkdir()
    part.write_bytes(OTHER[:30_000])
    part.with_name("x.gz.part.json").write_text(f'{{"url": "{site.url}", "validator": "\\"older\\""}}')
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert len(site.asked) == 1


def test_a_part_from_another_mirror_is_not_gone_on_with(site: Site, tmp_path: Path) -> None:
    """What one mirror began another does not end: their bytes may differ where their contents do not."""
    part = part_of(tmp_path / "set/x.gz")
    part.parent.mkdir()
    part.write_bytes(BODY[:30_000])
    part.with_name("x.gz.part.json").write_text('{"url": "http://127.0.0.1:1/x.gz", "validator": "\\"one\\""}')
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert "Range" not in site.asked[0]


def test_a_part_as_long_as_the_file_is_started_anew(site: Site, tmp_path: Path) -> None:
    """A 416 throws the part away and begins again."""
    part = part_of(tmp_path / "set/x.gz")
    part.parent.mkdir()
    part.write_bytes(BODY + b"more")
    part.with_name("x.gz.part.json").write_text(f'{{"url": "{site.url}", "validator": "\\"one\\""}}')
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert [asked.get("Range") for asked in site.asked] == [f"bytes={len(BODY) + 4}-", None]


def test_a_part_without_validator_is_started_anew(site: Site, tmp_path: Path) -> None:
    """Where a server names no version of the file, nothing is resumed."""
    site.etag, site.break_after = "", 50_000
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY
    assert [asked.get("Range") for asked in site.asked] == [None, None]


@pytest.mark.parametrize("bad", [OTHER, BODY[:-1], b"", b"<html>not here</html>", CONTENT], ids=len)
def test_a_wrong_checksum_goes_on_to_the_next_mirror(site: Site, tmp_path: Path, bad: bytes) -> None:
    """Wrong bytes with a good status never get the final name; the next mirror is asked."""
    with serving(Site(body=bad)) as wrong:
        assert fetch(idx(wrong.url, site.url), tmp_path).read_bytes() == BODY
    assert len(wrong.asked) == 1
    assert "Range" not in site.asked[0]
    assert names(tmp_path) == ["x.gz"]


def test_passing_faults_are_tried_again(site: Site, tmp_path: Path) -> None:
    """A 503 and a 429 are tried again at the same mirror."""
    site.statuses = [503, 429]
    assert fetch(idx(site.url), tmp_path).read_bytes() == BODY


def test_lasting_faults_are_not(site: Site, tmp_path: Path) -> None:
    """A 404 is final, and when no mirror is left the error names the mirror and its answer."""
    site.statuses = [404]
    with pytest.raises(DownloadError, match=r"No mirror gave set/x\.gz: http://127.*404"):
        fetch(idx(site.url), tmp_path)
    assert len(site.asked) == 1
    assert names(tmp_path) == []


def test_an_endless_file_is_cut_off(site: Site, tmp_path: Path) -> None:
    """More bytes than the file can have are not written to the disk."""
    site.body = bytes(400_000)
    with pytest.raises(DownloadError, match="at the most"):
        fetch(idx(site.url), tmp_path)
    assert names(tmp_path) == []


def test_a_full_disk_leaves_nothing(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the disk is full the part is removed and the error says so."""

    def full(*arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DownloadError, match="No space left"):
        fetch(idx(site.url), tmp_path)
    assert names(tmp_path) == []


def test_what_cannot_be_fetched_says_how_it_is_had(tmp_path: Path) -> None:
    """A file without mirrors is an error with the instructions."""
    file = IdxFile("set/x.gz", "x", (1,), "0" * 64, (), by_hand="Ask the author.")
    with pytest.raises(DownloadError, match="Ask the author"):
        fetch(file, tmp_path)

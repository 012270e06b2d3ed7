"""Who may call: keys with names, of which only the names are ever written down."""

import hmac
import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from app.errors import StartFailed, Unauthorized

KEY = re.compile(r"[A-Za-z0-9._~+/-]{16,512}=*")
"""What can stand behind `Authorization: Bearer` (RFC 6750's b64token), and cannot be guessed for being short."""
NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")

OPEN = frozenset({"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"})
"""Paths that answer without a key: load balancers have none, and their answers tell nothing else."""


class Keys:
    """The keys that are taken; a key may have several names, and a name several keys while one replaces another."""

    def __init__(self, text: str, *, metrics_open: bool = False) -> None:
        """Read `NAME=KEY`, one a line or separated by commas; what follows a # at a line's start is a comment.

        Raises StartFailed, which never quotes a key.
        """
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        entries = [entry.strip() for line in lines for entry in line.split(",") if entry.strip()]
        self._named = tuple(_parsed(number, entry) for number, entry in enumerate(entries, 1))
        if not self._named:
            raise StartFailed("API keys were asked for and none is given: write NAME=KEY, one a line.")
        self._open = OPEN | {"/metrics"} if metrics_open else OPEN

    def caller(self, headers: Mapping[bytes, bytes]) -> str | None:
        """The name of the key that a request carries; None where it has none, or a wrong one.

        How long it takes depends on how many keys there are and how long they are, not on what is in them.
        """
        found = None
        given = _given(headers)
        for name, key in self._named:
            if hmac.compare_digest(key, given):
                found = name
        return found

    def is_open(self, path: str) -> bool:
        """Whether the path answers without a key."""
        return path in self._open

    def check(self, caller: str | None, path: str, headers: Mapping[bytes, bytes]) -> None:
        """Raise Unauthorized where that caller may not have the path."""
        if caller is None and not self.is_open(path):
            if not _given(headers):
                raise Unauthorized("This service wants a key, as Authorization: Bearer KEY or X-API-Key: KEY.")
            raise Unauthorized("This key is not known here.", error="invalid_token")


def keys_given(inline: SecretStr | None, file: Path | None) -> SecretStr | None:
    """The text of all keys that are given, in a setting or a file; None where none is asked for.

    Raises StartFailed where the file cannot be read.
    """
    if file is None:
        return inline
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise StartFailed(f"cannot read the API keys in {file}: {reason}") from None
    return SecretStr(text if inline is None else f"{text}\n{inline.get_secret_value()}")


def _parsed(number: int, entry: str) -> tuple[str, bytes]:
    name, _, key = (part.strip() for part in entry.partition("="))
    if not NAME.fullmatch(name) or not key:  # what stands there may be a key alone
        raise StartFailed(f"API key {number} is not NAME=KEY; a name has letters, digits and . _ @ - only.")
    if not KEY.fullmatch(key):
        raise StartFailed(
            f"API key {number} has to have 16 to 512 letters, digits and . _ ~ + / - "
            "(make one by `openssl rand -base64 32`)."
        )
    return name, key.encode()


def _given(headers: Mapping[bytes, bytes]) -> bytes:
    """The key in a request's headers, or nothing; X-API-Key goes before Authorization, which a proxy may want."""
    if key := headers.get(b"x-api-key"):
        return key
    scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
    return key.strip() if scheme.lower() == b"bearer" else b""

"""Files for browsers: under a strict policy, and kept by them for as long as their digest stays the same."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from fastapi import Request
from fastapi.responses import Response

HEADERS: Final = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' blob: data:",  # pictures chosen by the user; Swagger UI's icons
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",  # kept, and asked for by its ETag each time
}


@dataclass(frozen=True)
class Asset:
    """One file, with what its answer says of it."""

    content: bytes
    headers: dict[str, str]

    @classmethod
    def of(cls, content: bytes, media_type: str) -> "Asset":
        """The bytes, named by their digest: files in a wheel all have the same time, and may have the same size."""
        headers = HEADERS | {"ETag": f'"{sha256(content).hexdigest()[:32]}"', "Content-Type": media_type}
        return cls(content, headers)

    def answer(self, request: Request) -> Response:
        """The file, or 304 where the caller has it already."""
        known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
        if self.headers["ETag"] in known:
            return Response(status_code=304, headers=self.headers)
        return Response(self.content, headers=self.headers)

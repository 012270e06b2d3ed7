"""What our document cannot say and holds for every answer: its request id, and the shape of every error."""

from typing import Any

import schemathesis

V2 = "/v2"


@schemathesis.check  # type: ignore[untyped-decorator]  # it is not installed where types are checked
def surroundings(ctx: Any, response: Any, case: Any) -> None:
    """Every answer has an X-Request-ID; every 4xx and 5xx has our error as its body."""
    del ctx
    assert response.headers.get("x-request-id"), "the answer has no X-Request-ID"
    if response.status_code < 400 or case.method.upper() == "HEAD":
        return
    error = response.json().get("error")
    path = case.formatted_path
    if path == V2 or path.startswith(f"{V2}/"):
        assert isinstance(error, str), f"under /v2 an error is one string, not {error!r}"
    else:
        assert isinstance(error, dict), f"not our error: {error!r}"
        assert {"code", "message", "details"} <= error.keys(), f"not our error: {error!r}"

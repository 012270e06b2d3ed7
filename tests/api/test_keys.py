"""Keys: who may call, what a refusal says, and that no route is left outside."""

import re
from typing import Any

import pytest
import structlog

from app.errors import StartFailed
from app.keys import Keys
from benchmarks.reliability.routes import paths
from tests.api.test_predict import code

POST_OFFICE, BANK = "post-office-0123456789", "bank+0123456789/abc=="
KEYS = f"post-office={POST_OFFICE}, bank={BANK}"
HEALTH = {"/health/live", "/health/ready", "/v2/health/live", "/v2/health/ready"}
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
NOWHERE = (
    "/nowhere", "/predict/", "/health", "/health/", "/health/live/", "//health/live", "/HEALTH/LIVE",
    "/health/live/../../models", "/health/ready%2f..", "/v2/health/live/x", "/v2", "/v2/", "/favicon.ico",
)  # fmt: skip


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_no_route_but_health_answers_without_a_key(serving):
    """Every path of the application, with every method, and paths that are none: 401 without a key or with a wrong one.

    Health answers. With a key the same requests get through, so that it is the key which they lacked.
    """
    tried = 0
    async with serving(api_keys=KEYS) as client:
        app = client._transport.app
        known = set(paths(app.routes))
        assert {"/predict", "/read/batch", "/v2/models/x/infer", "/metrics", "/docs", "/openapi.json"} <= known
        assert {re.sub(r"{[^}]*}", "x", path) for path in app.openapi()["paths"]} <= known
        for path in sorted(known | HEALTH | set(NOWHERE)):
            for method in METHODS:
                for headers in ({}, _bearer("wrong-0123456789abc"), {"X-API-Key": POST_OFFICE[:-1]}):
                    status = (await client.request(method, path, headers=headers)).status_code
                    assert (status == 401) != (path in HEALTH), (method, path, status)
                assert (await client.request(method, path, headers=_bearer(BANK))).status_code != 401
                tried += 1
    print(f"{tried} pairs of path and method, {len(known)} paths of routes")  # noqa: T201 - the promise's figure


async def test_a_key_comes_in_either_header(serving, digits):
    """Each of several keys is taken as a bearer token, whatever the scheme's case, or as X-API-Key."""
    async with serving(api_keys=KEYS) as client:
        for headers in (
            _bearer(POST_OFFICE),
            _bearer(BANK),
            {"Authorization": f"bearer  {BANK}"},
            {"X-API-Key": BANK},
            {"X-API-Key": POST_OFFICE, "Authorization": "Basic dTpw"},  # a proxy's own
        ):
            assert (await client.post("/predict", content=digits[0], headers=headers)).status_code == 200
        for headers in (
            {},
            {"X-API-Key": ""},
            {"X-API-Key": BANK + "x"},
            {"X-API-Key": b"\xff" * 20},
            {"Authorization": BANK},
            {"Authorization": f"Basic {BANK}"},
            {"Authorization": "Bearer"},
            _bearer("bank"),
            {"Cookie": f"X-API-Key={BANK}"},
        ):
            assert code(await client.post("/predict", content=digits[0], headers=headers)) == (401, "unauthorized")
        assert code(await client.post(f"/predict?api_key={BANK}", content=digits[0])) == (401, "unauthorized")


async def test_a_refusal_says_how_to_send_a_key(serving):
    """401 carries WWW-Authenticate, with a reason only where a key was given; under /v2 the error is one string."""
    async with serving(api_keys=KEYS) as client:
        none = await client.get("/models")
        wrong = await client.get("/v2/models/lenet5", headers=_bearer("wrong-0123456789abc"))
        counted = (await client.get("/metrics", headers=_bearer(BANK))).text
    assert none.headers["www-authenticate"] == 'Bearer realm="lenet5"'
    assert none.headers["x-request-id"]
    assert wrong.headers["www-authenticate"] == 'Bearer realm="lenet5", error="invalid_token"'
    assert wrong.json()["error"].startswith("unauthorized: ")
    assert 'lenet5_rejected_total{reason="unauthorized"} 2.0' in counted


async def test_a_refused_body_is_not_taken_in(serving):
    """Without a key the application never sees the request, and a caller that asks before it sends is not let send."""
    async with serving(api_keys=KEYS) as client:
        asked = 0

        async def receive() -> dict[str, Any]:
            nonlocal asked
            asked += 1
            raise AssertionError("the body was asked for")

        answers = []

        async def send(message: Any) -> None:
            answers.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/predict",
            "query_string": b"",
            "headers": [(b"content-length", b"1000"), (b"expect", b"100-continue")],
        }
        await client._transport.app(scope, receive, send)
    assert (answers[0]["status"], asked) == (401, 0)
    assert (b"connection", b"close") in answers[0]["headers"]


async def test_metrics_by_a_setting(serving):
    """/metrics wants a key unless metrics_open says that it does not; the rest still does."""
    async with serving(api_keys=KEYS, metrics_open=True) as client:
        assert (await client.get("/metrics")).status_code == 200
        assert (await client.get("/models")).status_code == 401


async def test_without_keys_none_is_asked_for(serving, digits):
    """By default every caller is served, whatever they send along."""
    async with serving() as client:
        assert (await client.post("/predict", content=digits[0], headers=_bearer("any"))).status_code == 200


async def test_keys_from_a_file_and_the_setting_together(serving, tmp_path):
    """A file, one key a line with comments, adds to the keys of the setting."""
    file = tmp_path / "keys"
    file.write_text(f"# the branch\n\npost-office = {POST_OFFICE}\r\n")
    async with serving(api_keys_file=file, api_keys=f"bank={BANK}") as client:
        assert (await client.get("/models", headers=_bearer(POST_OFFICE))).status_code == 200
        assert (await client.get("/models", headers=_bearer(BANK))).status_code == 200


async def test_the_log_names_the_key_and_never_shows_it(serving, digits):
    """A request's line has its key's name; one without a key has none."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        async with serving(api_keys=KEYS, access_log=True) as client:
            await client.post("/predict", content=digits[0], headers=_bearer(BANK))
            structlog.contextvars.clear_contextvars()
            await client.post("/predict", content=digits[0], headers=_bearer(BANK + "x"))
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["status"], line.get("key_name")) for line in requests] == [(200, "bank"), (401, None)]
    assert BANK not in str(lines)


async def test_the_document_says_which_paths_want_a_key(serving):
    """With keys the OpenAPI document has both ways to send one, and 401 wherever one is needed; without, neither."""
    async with serving(api_keys=KEYS) as client:
        document = (await client.get("/openapi.json", headers=_bearer(BANK))).json()
    assert {"bearer", "header"} == set(document["components"]["securitySchemes"])
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("401" in operation["responses"]) == (path not in HEALTH) == ("security" not in operation)
    async with serving() as client:
        assert "security" not in (await client.get("/openapi.json")).json()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "none is given"),
        ("# only a comment", "none is given"),
        (" , ", "none is given"),
        (BANK, "is not NAME=KEY"),
        ("bank=short", "16 to 512"),
        (f"bank={BANK} {BANK}", "16 to 512"),
        (f"ok={BANK}\na name={BANK}", "API key 2 is not NAME=KEY"),
        ("abcdefghijklmnopqrstuvwx==", "16 to 512"),  # a key that lacks its name: it may not be quoted as one
    ],
)
def test_keys_that_cannot_be_used_stop_the_start(text, words):
    """No key at all, one without a name and one that is short are refused, by their place and never by their text."""
    with pytest.raises(StartFailed, match=words) as refused:
        Keys(text)
    assert not [part for part in re.split(r"[\s,]|(?<!=)=(?!=)", text) if len(part) > 10 and part in str(refused.value)]


def test_every_key_is_compared_whichever_is_right(monkeypatch):
    """The comparison is hmac's, and does not stop at the first key that fits, so that time tells nothing."""
    compared = []

    def compare(key: bytes, given: bytes) -> bool:
        compared.append(key)
        return key == given

    monkeypatch.setattr("hmac.compare_digest", compare)
    keys = Keys(KEYS)
    for key, name in ((POST_OFFICE, "post-office"), (BANK, "bank"), ("other", None)):
        compared.clear()
        assert keys.caller({b"x-api-key": key.encode()}) == name
        assert compared == [POST_OFFICE.encode(), BANK.encode()]

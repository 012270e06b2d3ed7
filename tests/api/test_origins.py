"""Browsers: which other origins' pages may call, and that no answer is taken for what it is not."""

from typing import Any

import httpx

KEY = "bank-0123456789abcdef"


def _cross_origin(client: httpx.AsyncClient, method: str, path: str, **headers: str) -> Any:
    return client.request(method, path, headers={"Origin": "https://page.example", **headers})


async def test_other_origins_are_off_unless_listed(serving, digits):
    """By default no answer lets another origin's page read it; a listed origin may, refusals included, others not."""
    async with serving() as client:
        assert "access-control-allow-origin" not in (await _cross_origin(client, "GET", "/models")).headers
        asked = await _cross_origin(client, "OPTIONS", "/predict", **{"Access-Control-Request-Method": "POST"})
        assert asked.status_code == 405
    async with serving(cors_origins="https://page.example", api_keys=f"bank={KEY}") as client:
        wanted = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
        asked = await _cross_origin(client, "OPTIONS", "/predict", **wanted)
        assert asked.headers["access-control-allow-origin"] == "https://page.example"
        assert "x-api-key" in asked.headers["access-control-allow-headers"].lower()
        assert "access-control-allow-credentials" not in asked.headers
        for key, status in ((KEY, 200), ("wrong", 401)):
            answer = await _cross_origin(client, "GET", "/models", **{"X-API-Key": key})
            assert answer.status_code == status
            assert answer.headers["access-control-allow-origin"] == "https://page.example"
            assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
        other = await client.get("/models", headers={"Origin": "https://other.example", "X-API-Key": KEY})
        assert "access-control-allow-origin" not in other.headers
        assert (await client.options("/predict")).status_code == 401  # no question beforehand: it lacks what makes one


async def test_no_answer_is_to_be_taken_for_another_type(serving, digits):
    """Every answer, pages, pictures' and refusals, tells browsers not to guess its type."""
    async with serving() as client:
        answers = [await client.get(path) for path in ("/docs", "/models", "/nowhere", "/health/live")]
        answers.append(await client.post("/predict", content=digits[0]))
    assert [answer.headers.get_list("x-content-type-options") for answer in answers] == [["nosniff"]] * 5


async def test_pages_of_listed_origins_may_send_pictures(serving, digits):
    """What a browser asks beforehand is granted for the routes of pictures too, and their answers can be read."""
    origin = "https://page.example"
    async with serving(cors_origins=f"{origin}, https://second.example") as client:
        for path in ("/predict", "/predict/batch", "/read", "/read/batch", "/v2/models/lenet5/infer"):
            wanted = {
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "content-type,x-request-timeout",
            }
            asked = await _cross_origin(client, "OPTIONS", path, **wanted)
            sent = await client.post(path, content=digits[0], headers={"Origin": origin, "Content-Type": "image/png"})
            assert (asked.status_code, sent.headers["vary"]) == (200, "Origin")
            assert asked.headers["access-control-allow-origin"] == sent.headers["access-control-allow-origin"] == origin
            assert sent.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "access-control-allow-origin" not in (await client.post("/predict", content=digits[0])).headers

"""The floor: a bare ASGI application that answers a constant."""

import argparse
from typing import Any

import uvicorn

BODY = b'{"digit":7,"probabilities":[0.0,0.0,0.0,0.0,0.0,0.0,0.0,1.0,0.0,0.0]}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]


async def app(_scope: Any, receive: Any, send: Any) -> None:
    """Read the body, answer the constant."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(app, port=parser.parse_args().port, log_level="warning", lifespan="off", access_log=False)

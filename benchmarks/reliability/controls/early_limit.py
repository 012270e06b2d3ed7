"""FastAPI with a body limit as HTTP suggests it: 413 as soon as the limit is passed, and the connection closes."""

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from benchmarks.speed.rivals.digits import port

LIMIT = 8 * 1024 * 1024
TOO_LARGE = {"error": {"code": "body_too_large", "message": "The body is too large.", "details": {}}}

app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> Response:
    """The size of a body that is not too large."""
    size = int(request.headers.get("content-length", 0))
    if size <= LIMIT:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > LIMIT:
                break
    return JSONResponse(TOO_LARGE, 413, {"Connection": "close"}) if size > LIMIT else JSONResponse(size)


if __name__ == "__main__":
    uvicorn.run(app, port=port(), log_level="critical", access_log=False)

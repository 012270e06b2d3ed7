"""FastAPI with a key where its tutorial puts it, on the route, and with all that comes logged for debugging."""

import logging
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from fastapi.security import APIKeyHeader

from benchmarks.reliability.secrets_sought import GOOD
from benchmarks.speed.rivals.digits import port

log = logging.getLogger("uvicorn.error")
app = FastAPI()


@app.post("/predict")
async def predict(request: Request, key: Annotated[str, Depends(APIKeyHeader(name="X-API-Key"))]) -> JSONResponse:
    """Whether the body is a picture."""
    if key != GOOD:
        raise HTTPException(401, f"unknown key {key}")
    return JSONResponse(len(await request.body()))


@app.exception_handler(HTTPException)
async def refused(request: Request, error: HTTPException) -> JSONResponse:
    """Say in the log what was refused, with all that came."""
    log.warning("%s: headers %s, body %r", error.detail, dict(request.headers), (await request.body())[:1000])
    return JSONResponse({"detail": error.detail}, error.status_code)


if __name__ == "__main__":
    uvicorn.run(app, port=port())

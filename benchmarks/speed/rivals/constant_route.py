"""The other floor: a FastAPI route that answers a constant."""

import argparse

import uvicorn
from fastapi import FastAPI, Request

app = FastAPI()


@app.post("/predict")
async def predict(request: Request) -> dict[str, object]:
    """Read the body, answer the constant."""
    await request.body()
    return {"digit": 7, "probabilities": [0.0] * 7 + [1.0] + [0.0] * 2}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(app, port=parser.parse_args().port, log_level="warning", access_log=False)

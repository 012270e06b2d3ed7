"""FastAPI with a forward pass in each request."""

import uvicorn
from fastapi import FastAPI, Request

from benchmarks.speed.rivals import digits

app = FastAPI()
model = digits.network()


@app.post("/predict")
async def predict(request: Request) -> digits.Answer:
    """One picture as the raw body."""
    return digits.predict(model, [digits.pixels(await request.body())])[0]


if __name__ == "__main__":
    uvicorn.run(app, port=digits.port(), log_level="warning", access_log=False)

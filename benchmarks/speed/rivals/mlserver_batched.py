"""MLServer with its adaptive batching: the Open Inference Protocol v2 in JSON, pictures in base64, no process pool."""

import asyncio
import base64

from mlserver import MLModel, MLServer, ModelSettings, Settings
from mlserver.types import InferenceRequest, InferenceResponse, ResponseOutput

from benchmarks.speed.rivals import digits

MAX_BATCH_SIZE = 64
MAX_WAIT = 0.002  # seconds


class Digits(MLModel):
    """The network."""

    async def load(self) -> bool:
        """Load it."""
        self.model = digits.network()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """A batch."""
        pictures = [digits.pixels(base64.b64decode(picture)) for picture in payload.inputs[0].data]
        answers = digits.predict(self.model, pictures)
        found = [answer["digit"] for answer in answers]
        probabilities = [p for answer in answers for p in answer["probabilities"]]
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                ResponseOutput(name="digit", shape=[len(answers)], datatype="INT64", data=found),
                ResponseOutput(name="probabilities", shape=[len(answers), 10], datatype="FP32", data=probabilities),
            ],
        )


async def main() -> None:
    """Serve until the end."""
    settings = Settings(
        host="127.0.0.1", http_port=digits.port(), grpc_port=0, metrics_endpoint=None, parallel_workers=0, debug=False
    )
    model = ModelSettings(name="digits", implementation=Digits, max_batch_size=MAX_BATCH_SIZE, max_batch_time=MAX_WAIT)
    await MLServer(settings).start([model])


if __name__ == "__main__":
    asyncio.run(main())

"""An inference response: JSON, and outputs in binary after it."""

import numpy as np
import numpy.typing as npt
import orjson
from fastapi.responses import Response

from app.api.routes import model_ref
from app.api.v2.request import HEADER_LENGTH, Asked
from app.api.v2.tensors import OUTPUTS
from app.serving.models import DigitModel


def answer(asked: Asked, probabilities: npt.NDArray[np.float32], model: DigitModel) -> Response:
    """The outputs that were asked for, of probabilities (n, 10)."""
    values = {"digit": probabilities.argmax(axis=1).astype("<i8"), "probabilities": probabilities.astype("<f4")}
    outputs, parts = [], []
    for name, binary in asked.outputs.items():
        value = values[name]
        output = {"name": name, "datatype": OUTPUTS[name][0], "shape": value.shape}
        if binary:
            parts.append(value.tobytes())
            output["parameters"] = {"binary_data_size": value.nbytes}
        else:
            output["data"] = value.reshape(-1)
        outputs.append(output)
    by = model_ref(model)
    head = {"model_name": by["name"], "model_version": by["version"], "outputs": outputs}
    if asked.id is not None:
        head["id"] = asked.id
    json = orjson.dumps(head, option=orjson.OPT_SERIALIZE_NUMPY)
    if not parts:
        return Response(json, media_type="application/json")
    headers = {HEADER_LENGTH: str(len(json))}
    return Response(b"".join([json, *parts]), headers=headers, media_type="application/octet-stream")

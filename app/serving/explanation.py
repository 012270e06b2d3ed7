"""How a picture of a digit was read, for people: its way into the network's form, and what each layer gives."""

import base64
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import orjson

from app.imaging import Container, decode_probed
from app.imaging.ground import reduced
from app.imaging.steps import Steps, steps
from app.lenet.activations import Array, Network
from app.serving.admission import Ticket
from app.serving.batcher import Outcome
from app.serving.classification import Classification, classified
from app.serving.engine import Engine
from app.serving.models import DigitModel

SHOWN_SIDE: Final = 128  # pixels; the pictures of the first two steps are reduced to this
DECIMALS: Final = 4  # of values, which are of the order of 1
KINDS: Final[Mapping[str, str]] = {
    "INPUT": "input",
    "C1": "convolution",
    "S2": "subsampling",
    "C3": "convolution",
    "S4": "subsampling",
    "C5": "convolution",
    "F6": "full",
    "OUTPUT": "full",
}
"""What kind each layer is of; one of the kind "full" sees all of the layer before."""


async def explain(engine: Engine, data: bytes, ticket: Ticket, model: DigitModel, ref: Mapping[str, str]) -> bytes:
    """The JSON of `Explanation` for one encoded picture, made in the bulk's threads; `ref` is the wire's `ModelRef`.

    Raises ImageTooLarge, UnsupportedMediaType, InvalidImage, QueueFull.
    """
    container = await engine.in_bulk(partial(engine.probe, data))
    ticket.reserve(pixels=container.width * container.height)
    return await engine.in_bulk(partial(_explained, container, model, ref))


def _explained(container: Container, model: DigitModel, ref: Mapping[str, str]) -> bytes:
    picture = decode_probed(container)
    way = steps(picture)
    given = model.network.activations(np.stack([way.normalized.input, way.framed]))
    read, as_framed = (
        classified(way.normalized, Outcome(row[None], 0.0, 0.0), 0.0, model, None)
        for row in model.rows(given["OUTPUT"])
    )
    return orjson.dumps(
        {
            **_reading(read),
            "accepted": read.accepted,
            "reasons": read.reasons,
            "model": ref,
            "steps": _steps(picture, way),
            "layers": [_layer(name, values[0], model.network) for name, values in given.items()],
            "network": _network(model.network),
            "uncentred": {**_reading(as_framed), "picture": _picture(way.framed[0])},
        },
        option=orjson.OPT_SERIALIZE_NUMPY,
    )


def _reading(read: Classification) -> dict[str, Any]:
    return {"digit": read.digit, "confidence": read.confidence, "probabilities": read.probabilities}


def _steps(picture: npt.NDArray[Any], way: Steps) -> dict[str, Any]:
    """The pictures of the normalisation; what is found lies in them as shares of width and height."""
    height, width = way.ink.shape
    found = None
    if way.found is not None:
        x, y, w, h = way.found
        found = [x / width, y / height, w / width, h / height]
    top, left = way.place
    return {
        "drawn": _picture(reduced(picture.astype(np.float32), SHOWN_SIDE) / 255),
        "ink": _picture(reduced(way.ink, SHOWN_SIDE)) | {"found": found},
        "box": _picture(way.box) if way.found else None,
        "centred": _picture(way.normalized.input[0]) | {"left": left, "top": top},
    }


def _picture(values: npt.NDArray[np.floating]) -> dict[str, Any]:
    """A gray picture (h, w) of 0..1, 1 is white, as a PNG."""
    height, width = values.shape
    _, png = cv2.imencode(".png", np.rint(values * 255).astype(np.uint8))
    return {
        "url": "data:image/png;base64," + base64.b64encode(png.tobytes()).decode(),
        "width": width,
        "height": height,
    }


def _layer(name: str, values: Array, network: Network) -> dict[str, Any]:
    """A layer's values, (maps, h, w) or (units,), and which part of the layer before each unit sees."""
    arch, kind = network.architecture, KINDS[name]
    layer: dict[str, Any] = {"name": name, "kind": kind, "shape": values.shape, "values": _rounded(values)}
    if kind == "subsampling":
        return layer | {"kernel": arch.pool_kernel, "stride": arch.pool_stride}
    if kind == "convolution":
        layer |= {"kernel": arch.s4_side if name == "C5" else 5, "stride": 1}
    if name == "C3":
        layer["connections"] = network.connections
    return layer


def _network(network: Network) -> dict[str, Any]:
    """What does not change from picture to picture: enough to work out C1, and what the outputs make of F6."""
    arch, weights = network.architecture, network.weights
    rbf = arch.output == "rbf"
    scaled = arch.activation == "scaled_tanh"
    return {
        "input": {"scale": arch.input_scale, "offset": arch.input_offset},
        "activation": {
            "function": arch.activation,
            "amplitude": arch.amplitude if scaled else 1.0,
            "slope": arch.slope if scaled else 1.0,
        },
        "C1": {"kernels": _rounded(weights["c1.weight"][:, 0]), "biases": _rounded(weights["c1.bias"])},
        "S2": _subsampling(network, "s2"),
        "C3": {"kernels": _rounded(weights["c3.weight"]), "biases": _rounded(weights["c3.bias"])},
        "S4": _subsampling(network, "s4"),
        "OUTPUT": {
            "form": arch.output,
            "weights": _rounded(weights["output.bitmaps" if rbf else "output.weight"]),
            "biases": None if rbf else _rounded(weights["output.bias"]),
        },
    }


def _subsampling(network: Network, name: str) -> dict[str, Any]:
    arch, weights = network.architecture, network.weights
    trained = arch.subsampling == "trainable"
    return {
        "pool": "max" if arch.subsampling == "max" else "mean",
        "coefficients": _rounded(weights[name + ".coefficient"].ravel()) if trained else None,
        "biases": _rounded(weights[name + ".bias"].ravel()) if trained else None,
        "squashed": arch.squash_subsampling,
    }


def _rounded(values: Array) -> npt.NDArray[np.floating]:
    rounded: npt.NDArray[np.floating] = np.round(values.astype(np.float64), DECIMALS) + 0.0  # never -0.0
    return rounded

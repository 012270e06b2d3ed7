"""`/explain` through HTTP, in process: what it says of a picture is what `/predict` does with it."""

import base64
import io
from pathlib import Path
from threading import get_ident

import httpx
import numpy as np
import pytest
from lenet5_client.schemas import ErrorBody
from PIL import Image

from app.api.explanations import Explanation
from app.imaging import normalize
from app.lenet.registry import default_model_dir
from app.serving import explanation

PNG = {"Content-Type": "image/png"}
PHOTO = Path(__file__).parents[2] / "examples" / "photo-of-a-4.jpg"
CORNER = (4, 60)
"""Where the digit of `in_the_corner` lies: x and y."""


def code(response: httpx.Response) -> tuple[int, str]:
    """A refusal's status and code."""
    return response.status_code, ErrorBody.model_validate_json(response.content).error.code


def in_the_corner(digit: bytes) -> bytes:
    """A digit of 28x28 in the corner of a large sheet, dark on white."""
    sheet = Image.new("L", (100, 90), 255)
    sheet.paste(Image.eval(Image.open(io.BytesIO(digit)), lambda level: 255 - level), CORNER)
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def pixels(picture: dict) -> np.ndarray:
    """The gray levels of a picture of the answer, once its size is known to be what it says."""
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(picture["url"].removeprefix("data:image/png;base64,")))))
    assert shown.shape == (picture["height"], picture["width"])
    return shown


def values(answer: dict, name: str) -> np.ndarray:
    """What a layer gives, in the shape that is said of it."""
    layer = next(layer for layer in answer["layers"] if layer["name"] == name)
    found = np.array(layer["values"])
    assert list(found.shape) == layer["shape"]
    return found


async def test_it_says_what_predict_says(serving, digits):
    """Digit, probabilities, confidence and verdict are those of /predict, however the picture is sent."""
    async with serving() as client:
        for data in (digits[0], in_the_corner(digits[1])):
            predicted = (await client.post("/predict", content=data)).json()
            for answer in (
                await client.post("/explain", content=data, headers=PNG),
                await client.post("/explain", files={"file": data}),
            ):
                assert answer.status_code == 200, answer.text
                found = answer.json()
                Explanation.model_validate(found)
                assert found["probabilities"] == pytest.approx(predicted["probabilities"], abs=1e-5)
                assert found["confidence"] == pytest.approx(predicted["confidence"], abs=1e-5)
                assert {key: found[key] for key in ("digit", "accepted", "reasons", "model")} == {
                    key: predicted[key] for key in ("digit", "accepted", "reasons", "model")
                }


async def test_the_steps_are_those_of_the_normalisation(serving, digits):
    """The digit's box lies where it was drawn, the last step is the network's input to a gray level, ink is white."""
    data = in_the_corner(digits[0])
    async with serving() as client:
        answer = (await client.post("/explain", content=data)).json()
    sheet = np.asarray(Image.open(io.BytesIO(data)))
    steps = answer["steps"]
    np.testing.assert_array_equal(pixels(steps["drawn"]), sheet)
    np.testing.assert_allclose(pixels(steps["ink"]), 255 - sheet.astype(int), atol=3)
    ys, xs = np.nonzero(sheet < 200)
    x, y, width, height = steps["ink"]["found"]
    assert (x * 100, y * 90) == pytest.approx((xs.min(), ys.min()), abs=1.5)
    assert (width * 100, height * 90) == pytest.approx((np.ptp(xs) + 1, np.ptp(ys) + 1), abs=2.5)
    box, centred = pixels(steps["box"]), pixels(steps["centred"])
    assert max(box.shape) in (19, 20, 21)
    top, left = steps["centred"]["top"], steps["centred"]["left"]
    np.testing.assert_array_equal(centred[top : top + box.shape[0], left : left + box.shape[1]], box)
    np.testing.assert_allclose(centred, normalize(sheet).input[0] * 255, atol=0.51)


async def test_the_layers_follow_from_each_other(serving, digits):
    """C1 is its kernels' sums over the input, squashed, and S2's units lie in their windows of it."""
    async with serving() as client:
        answer = (await client.post("/explain", content=digits[0])).json()
    network = answer["network"]
    picture, c1 = values(answer, "INPUT"), values(answer, "C1")
    assert [layer["name"] for layer in answer["layers"]] == ["INPUT", "C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT"]
    assert [layer["shape"] for layer in answer["layers"]] == [
        *([1, 32, 32], [6, 28, 28], [6, 14, 14], [16, 10, 10], [16, 5, 5]),
        *([120], [84], [10]),
    ]
    slope, amplitude = network["activation"]["slope"], network["activation"]["amplitude"]
    for row, column in ((0, 0), (9, 13), (27, 27)):
        patch = picture[0, row : row + 5, column : column + 5]
        for number, kernel in enumerate(network["C1"]["kernels"]):
            summed = (patch * np.array(kernel)).sum() + network["C1"]["biases"][number]
            assert c1[number, row, column] == pytest.approx(amplitude * np.tanh(slope * summed), abs=2e-3)
    by_name = {layer["name"]: layer for layer in answer["layers"]}
    assert [by_name[name].get("kernel") for name in by_name] == [None, 5, 2, 5, 2, 5, None, None]
    assert by_name["C3"]["connections"] == [[0, 1, 2, 3, 4, 5]] * 16
    outputs = values(answer, "F6") @ np.array(network["OUTPUT"]["weights"]).T + np.array(network["OUTPUT"]["biases"])
    np.testing.assert_allclose(outputs, values(answer, "OUTPUT"), atol=1e-2)


async def test_the_papers_own_network_is_shown_too(serving):
    """Table I's connections and the bitmaps of the RBF outputs are told; the answer stays under 150 KB."""
    async with serving(model_dir=default_model_dir()) as client:
        response = await client.post("/explain?model=lenet5-1998:2", content=PHOTO.read_bytes())
        modern = await client.post("/explain", content=PHOTO.read_bytes())
    answer = response.json()
    Explanation.model_validate(answer)
    assert answer["digit"] == modern.json()["digit"] == 4
    assert max(len(response.content), len(modern.content)) < 150_000
    c3 = next(layer for layer in answer["layers"] if layer["name"] == "C3")
    assert sum(map(len, c3["connections"])) == 60
    kernels = np.array(answer["network"]["C3"]["kernels"])  # (16, 6, 5, 5)
    assert [np.flatnonzero(row.any(axis=(1, 2))).tolist() for row in kernels] == [sorted(c) for c in c3["connections"]]
    bitmaps = np.array(answer["network"]["OUTPUT"]["weights"])
    assert np.abs(bitmaps).tolist() == np.ones((10, 84)).tolist()
    distances = np.square(values(answer, "F6") - bitmaps).sum(axis=1)
    np.testing.assert_allclose(-distances, values(answer, "OUTPUT"), atol=0.05)


async def test_what_centring_is_good_for_is_shown(serving, digits):
    """A digit that fills its frame is read alike without centring; of one in a corner the network sees little."""
    async with serving() as client:
        corner = (await client.post("/explain", content=in_the_corner(digits[0]))).json()["uncentred"]
    shown = pixels(corner["picture"])
    ys, xs = np.nonzero(shown > 100)
    x, y = CORNER[0] * 32 / 100, CORNER[1] * 32 / 100 + 1.6  # of a sheet that is less high than wide
    assert x <= xs.min()
    assert xs.max() <= x + 28 * 32 / 100
    assert y <= ys.min()
    assert sum(corner["probabilities"]) == pytest.approx(1)
    assert corner["digit"] == int(np.argmax(corner["probabilities"]))


async def test_a_blank_picture_has_no_box(serving):
    """A picture without ink is 200: blank, with an empty input and nothing found."""
    blank = io.BytesIO()
    Image.new("L", (40, 50), 255).save(blank, "PNG")
    async with serving() as client:
        answer = (await client.post("/explain", content=blank.getvalue())).json()
    Explanation.model_validate(answer)
    assert (answer["reasons"], answer["confidence"]) == (["blank"], 0)
    assert (answer["steps"]["ink"]["found"], answer["steps"]["box"]) == (None, None)
    assert not pixels(answer["steps"]["centred"]).any()


async def test_refusals_are_those_of_predict(serving, digits):
    """Unknown models, what is no picture, other types, full queues and wrong deadlines have their documented codes."""
    async with serving(queue_pictures=1, max_body_bytes=4096) as client:
        assert code(await client.post("/explain?model=other", content=digits[0])) == (404, "unknown_model")
        assert code(await client.post("/explain", content=b"text")) == (422, "invalid_image")
        assert code(await client.post("/explain", content=bytes(5000))) == (413, "body_too_large")
        odd = {"Content-Type": "text/plain"}
        assert code(await client.post("/explain", content=digits[0], headers=odd)) == (415, "unsupported_media_type")
        late = {"X-Request-Timeout": "never"}
        assert code(await client.post("/explain", content=digits[0], headers=late)) == (422, "invalid_parameter")
        engine = client.service.engine
        with engine.admission.admit(engine.digit_model(None)) as other:
            other.reserve(pictures=1)
            assert code(await client.post("/explain", content=digits[0])) == (429, "queue_full")
        assert (await client.post("/explain", content=digits[0])).status_code == 200
        assert client.service.engine.admission.pictures == 0


async def test_it_never_works_on_the_event_loop(serving, digits, monkeypatch):
    """Even a small picture is decoded, and shown to the network, in another thread."""
    threads = []
    steps = explanation.steps
    monkeypatch.setattr(explanation, "steps", lambda picture: threads.append(get_ident()) or steps(picture))
    async with serving() as client:
        assert (await client.post("/explain", content=digits[0])).status_code == 200
    assert len(threads) == 1
    assert get_ident() not in threads

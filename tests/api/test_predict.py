"""`/predict` and `/predict/batch` through HTTP, in process."""

import asyncio
import io
import json
from dataclasses import replace
from threading import get_ident

import httpx
import numpy as np
import pytest
import torch
from lenet5_client.schemas import BatchPrediction, ErrorBody, Prediction
from PIL import Image

from app.errors import InferenceFailed, ManifestInvalid
from app.imaging import normalize
from app.lenet.calibration import Calibration
from app.lenet.model import LeNet5
from app.lenet.onnx_graph import onnx_bytes
from app.lenet.weights import write_model
from app.runtime import open_backend
from app.serving import classification
from tests.api.inference import fail_once

PNG = {"Content-Type": "image/png"}


def code(response: httpx.Response) -> tuple[int, str]:
    """A refusal's status and code, once its body is known to have the one shape."""
    return response.status_code, ErrorBody.model_validate_json(response.content).error.code


async def test_a_raw_picture_is_answered_as_the_contract_says(serving, digits):
    """The answer has the contract's keys and types, ten probabilities that sum to 1, and their argmax as the digit."""
    async with serving() as client:
        response = await client.post("/predict", content=digits[0], headers=PNG)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"digit", "confidence", "probabilities", "accepted", "reasons", "model"}
    answer = Prediction.model_validate_json(response.content)
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-9)
    assert answer.digit == int(np.argmax(answer.probabilities))
    assert answer.confidence == max(answer.probabilities)
    assert (answer.accepted, answer.reasons) == (True, [])
    assert (answer.model.name, answer.model.version) == ("lenet5", "1")


async def test_the_way_a_picture_is_sent_does_not_matter(serving, digits):
    """Raw with its type, raw without one, as octets, as a form's file, as a batch of one: the same answer."""
    async with serving() as client:
        answers = [
            await client.post("/predict", content=digits[0], headers=PNG),
            await client.post("/predict", content=digits[0]),
            await client.post("/predict", content=digits[0], headers={"Content-Type": "Application/Octet-Stream; a=b"}),
            await client.post("/predict", files={"file": ("a.png", digits[0], "image/png")}),
            await client.post("/predict", files={"file": digits[0]}),
            await client.post("/predict", content=digits[0], headers={"Content-Type": ""}),
            await client.post("/predict", files={"file": digits[0], "other": b"x"}, data={"a": "b", "c": "d"}),
        ]
        batches = [
            await client.post("/predict/batch", content=digits[0], headers=PNG),
            await client.post("/predict/batch", files=[("files", digits[0])]),
        ]
    first = answers[0].json()
    for answer in (*(a.json() for a in answers), *(b.json()["results"][0] for b in batches)):
        assert answer["probabilities"] == pytest.approx(first["probabilities"], abs=1e-6)
        assert answer["digit"] == first["digit"]


async def test_a_blank_picture_is_answered_and_not_accepted(serving):
    """A picture with nothing on it is 200, with the reason blank and a confidence of 0."""
    blank = io.BytesIO()
    Image.new("L", (40, 50), 255).save(blank, "PNG")
    async with serving() as client:
        answer = Prediction.model_validate_json((await client.post("/predict", content=blank.getvalue())).content)
    assert (answer.accepted, answer.reasons, answer.confidence) == (False, ["blank"], 0)


async def test_a_piece_of_something_larger_is_not_accepted(serving):
    """What the frame cuts off along one side is 200, with the reason not_a_digit and a confidence of 0."""
    piece = io.BytesIO()
    picture = Image.new("L", (60, 60), 240)
    picture.paste(20, (50, 0, 60, 60))
    picture.save(piece, "PNG")
    async with serving() as client:
        answer = Prediction.model_validate_json((await client.post("/predict", content=piece.getvalue())).content)
    assert (answer.accepted, answer.reasons, answer.confidence) == (False, ["not_a_digit"], 0)


async def test_the_threshold_decides_what_is_accepted(serving, digits):
    """A confidence under the threshold asked for is not accepted, with the reason low_confidence."""
    async with serving() as client:
        above = (await client.post("/predict?threshold=0", content=digits[0])).json()
        below = (await client.post("/predict?threshold=1", content=digits[0])).json()
    assert (above["accepted"], above["reasons"]) == (True, [])
    assert (below["accepted"], below["reasons"]) == (False, ["low_confidence"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("model=lenet5", 200),
        ("model=lenet5:1", 200),
        ("model=lenet5:2", (404, "unknown_model")),
        ("model=other", (404, "unknown_model")),
        ("model=", (404, "unknown_model")),
        ("threshold=1.5", (422, "invalid_parameter")),
        ("threshold=nan", (422, "invalid_parameter")),
        ("threshold=abc", (422, "invalid_parameter")),
        ("target_error=0.01", (422, "invalid_parameter")),
        ("target_error=0.01&threshold=0.5", (422, "invalid_parameter")),
    ],
)
async def test_query_parameters_are_checked(serving, digits, query, expected):
    """A known model and a number from 0 to 1 are taken; anything else has its documented code."""
    async with serving() as client:
        response = await client.post(f"/predict?{query}", content=digits[0])
    assert expected == (response.status_code if response.is_success else code(response))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"content": b""}, (422, "invalid_image")),
        ({"content": b"no picture"}, (422, "invalid_image")),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, (415, "unsupported_media_type")),
        ({"data": {"a": "b"}}, (415, "unsupported_media_type")),
        ({"files": {"picture": b"x"}}, (400, "malformed_request")),
        ({"files": {"file": (None, b"x")}}, (400, "malformed_request")),
        ({"files": [("file", b"x"), ("file", b"y")]}, (413, "too_many_images")),
        ({"files": [("file", b"x")] * 40}, (413, "too_many_images")),
        ({"content": b"x", "headers": {"Content-Encoding": "gzip"}}, (415, "unsupported_media_type")),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data"}}, (400, "malformed_request")),
        ({"content": b"x", "headers": {"Content-Type": "multipart/form-data; boundary=b"}}, (400, "malformed_request")),
        ({"content": b"x" * 20_000}, (413, "body_too_large")),
        ({"headers": {"X-Request-Timeout": "0"}}, (422, "invalid_parameter")),
        ({"headers": {"X-Request-Timeout": "soon"}}, (422, "invalid_parameter")),
        ({"headers": {"X-Request-Timeout": "inf"}}, (422, "invalid_parameter")),
    ],
)
async def test_bad_requests_have_a_stable_code(serving, request_, expected):
    """Each way to get a request wrong is answered with its status and code, in the one shape."""
    async with serving(max_body_bytes=10_000) as client:
        response = await client.post("/predict", **request_)
    assert code(response) == expected


async def test_limits_on_pictures_are_settings(serving, digits):
    """A picture over the pixels, the side or the scans allowed, or of a format switched off, is refused as said."""
    async with serving(max_pixels=783) as few, serving(max_side=27) as short, serving(picture_formats="gif") as gifs:
        answers = [await client.post("/predict", content=digits[0]) for client in (few, short, gifs)]
    progressive = io.BytesIO()
    Image.new("L", (1000, 1001)).save(progressive, "JPEG", progressive=True)  # six scans of a megapixel
    async with serving(max_scans=5) as few, serving(max_scan_megapixels=5) as little:
        answers += [await client.post("/predict", content=progressive.getvalue()) for client in (few, little)]
    assert [code(answer) for answer in answers] == [
        (413, "image_too_large"),
        (413, "image_too_large"),
        (415, "unsupported_media_type"),
        (413, "image_too_large"),
        (413, "image_too_large"),
    ]
    async with serving() as client:
        assert (await client.post("/predict", content=progressive.getvalue())).status_code == 200


async def test_a_bad_picture_spoils_only_its_own_place_in_a_batch(serving, digits):
    """Between two digits, a text is answered by an error in its place, and the digits as if they were alone."""
    async with serving() as client:
        alone = [(await client.post("/predict", content=data)).json() for data in digits[:2]]
        pictures = [("files", digits[0]), ("files", b"text"), ("files", digits[1])]
        response = await client.post("/predict/batch", files=pictures)
    batch = BatchPrediction.model_validate_json(response.content)
    assert [type(result).__name__ for result in batch.results] == ["Prediction", "ErrorBody", "Prediction"]
    assert batch.results[1].error.code == "invalid_image"
    for together, single in zip((batch.results[0], batch.results[2]), alone, strict=True):
        assert together.probabilities == pytest.approx(single["probabilities"], abs=1e-6)


async def test_a_batch_keeps_its_order(serving, digits):
    """Sixty pictures, more than a decoding job and a forward pass take, come back in the order they were sent."""
    async with serving(max_batch_size=7) as client:
        alone = [(await client.post("/predict", content=data)).json()["probabilities"] for data in digits[:60]]
        response = await client.post("/predict/batch", files=[("files", data) for data in digits[:60]])
    together = [result["probabilities"] for result in response.json()["results"]]
    np.testing.assert_allclose(together, alone, atol=1e-6)


async def test_a_batch_may_hold_no_more_than_its_limit(serving, digits):
    """One picture more than a batch takes is 413, and nothing is done."""
    async with serving(max_batch_pictures=3) as client:
        taken = await client.post("/predict/batch", files=[("files", data) for data in digits[:3]])
        refused = await client.post("/predict/batch", files=[("files", data) for data in digits[:4]])
    assert taken.is_success, taken.text
    assert code(refused) == (413, "too_many_images")


async def test_a_batch_that_the_queue_cannot_take_whole_is_refused_whole(serving, digits):
    """With one picture under way and places for three, a batch of four is one 429, and then the service recovers."""
    async with serving(queue_pictures=4) as client:
        with client.service.engine.admission.admit(client.service.engine.digit_model(None)) as other:
            other.reserve(pictures=1)
            refused = await client.post("/predict/batch", files=[("files", data) for data in digits[:4]])
            taken = await client.post("/predict/batch", files=[("files", data) for data in digits[:3]])
        again = await client.post("/predict/batch", files=[("files", data) for data in digits[:4]])
    assert code(refused) == (429, "queue_full")
    assert refused.headers["retry-after"] == "1"
    assert taken.is_success, taken.text
    assert again.is_success


async def test_concurrent_requests_share_forward_passes(serving, digits):
    """Sixty-four requests at once, half of them in bulk, take at most eight passes and get their own answers."""
    async with serving() as client:
        alone = [(await client.post("/predict", content=data)).json()["probabilities"] for data in digits[:64]]
        before = passes(await client.get("/metrics"))
        singles = asyncio.gather(*(client.post("/predict", content=data) for data in digits[:32]))
        bulk = asyncio.gather(
            *(client.post("/predict/batch", files=[("files", d) for d in digits[i : i + 8]]) for i in range(32, 64, 8))
        )
        together = [r.json()["probabilities"] for r in await singles]
        together += [result["probabilities"] for r in await bulk for result in r.json()["results"]]
        after = passes(await client.get("/metrics"))
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert after[1] - before[1] == 64
    assert after[0] - before[0] <= 8


def passes(metrics: httpx.Response) -> tuple[float, float]:
    """Forward passes and pictures in them, as /metrics counts them."""
    lines = dict(line.rsplit(" ", 1) for line in metrics.text.splitlines() if not line.startswith("#"))
    return tuple(float(lines[f'lenet5_batch_size_{what}{{model="lenet5"}}']) for what in ("count", "sum"))


async def test_a_failing_forward_pass_is_a_fault_of_ours_and_passes(serving, digits):
    """Requests whose pass fails get 500 in the one shape, and the next is answered."""
    async with serving() as client:
        backend = client.service.engine.digit_model(None).backend
        fail_once(backend)
        single = await client.post("/predict", content=digits[0])
        fail_once(backend)
        batch = await client.post("/predict/batch", files=[("files", digits[0]), ("files", b"x")])
        again = await client.post("/predict", content=digits[0])
    assert code(single) == (500, "inference_failed")
    assert [result["error"]["code"] for result in batch.json()["results"]] == ["inference_failed", "invalid_image"]
    assert again.is_success


async def test_the_callers_deadline_is_kept(serving, digits):
    """A request whose X-Request-Timeout passes while its batch waits is 504, and its place in the batch is given up."""
    async with serving(max_batch_delay=0.5) as client:
        late = await client.post("/predict", content=digits[0], headers={"X-Request-Timeout": "0.01"})
        patient = await client.post("/predict", content=digits[0], headers={"X-Request-Timeout": "30"})
        metrics = await client.get("/metrics")
    assert code(late) == (504, "deadline_exceeded")
    assert patient.is_success
    assert passes(metrics) == (1, 1)
    assert 'lenet5_rejected_total{reason="deadline"} 1.0' in metrics.text


async def test_a_form_that_is_cut_off_is_refused_whole(serving, digits):
    """Without its closing boundary a form is 400: a short answer would look like a whole one."""
    async with serving() as client:
        request = client.build_request("POST", "/predict/batch", files=[("files", data) for data in digits[:3]])
        body = await request.aread()
        cut = await client.post("/predict/batch", content=body[:-80], headers=request.headers)
    assert code(cut) == (400, "malformed_request")


async def test_pixels_count_at_the_door(serving, digits):
    """A picture, alone or in bulk, whose pixels don't fit beside those under way is 429."""
    async with serving(queue_megapixels=1) as client:
        with client.service.engine.admission.admit(client.service.engine.digit_model(None)) as other:
            other.reserve(pictures=1, pixels=1_000_000 - 783)
            single = await client.post("/predict", content=digits[0])
            bulk = await client.post("/predict/batch", content=digits[0])
        again = await client.post("/predict", content=digits[0])
    assert code(single) == code(bulk) == (429, "queue_full")
    assert again.is_success


async def test_a_large_picture_is_never_read_on_the_event_loop(serving, monkeypatch):
    """Decoding and normalising what takes more than a moment happens in another thread than the event loop's."""
    threads = []
    decode = classification.decode_probed
    monkeypatch.setattr(classification, "decode_probed", lambda *args: threads.append(get_ident()) or decode(*args))
    picture = io.BytesIO()
    Image.new("L", (300, 300), 255).save(picture, "PNG")
    async with serving() as client:
        await client.post("/predict", content=picture.getvalue())
        await client.post("/predict/batch", files=[("files", picture.getvalue())] * 2)
    assert len(threads) == 3
    assert get_ident() not in threads


async def test_where_the_time_went_is_told(serving, digits):
    """Server-Timing names decode, queue and infer, in milliseconds."""
    async with serving() as client:
        response = await client.post("/predict", content=digits[0])
    parts = dict(part.split(";dur=") for part in response.headers["server-timing"].split(", "))
    assert set(parts) == {"decode", "queue", "infer"}
    assert all(float(value) >= 0 for value in parts.values())


async def test_inference_failure_is_of_our_error_tree(serving, digits):
    """What a pass raises reaches the caller as InferenceFailed, not as a bare exception."""
    async with serving() as client:
        engine = client.service.engine
        model = engine.digit_model(None)
        fail_once(model.backend)
        with engine.admission.admit(engine.digit_model(None)) as ticket, pytest.raises(InferenceFailed):
            await engine.classify(digits[0], ticket, model, threshold=None)


CALIBRATION = Calibration(
    classes=11,
    lowest=(-5.0, -5.0, -5.0),
    highest=(5.0, 5.0, 5.0),
    temperature=(0.5, -0.1, 0.0, -0.2),
    digitness=(0.0, 0.5, 0.5, 4.0),
    floor=0.001,
    least_digitness=0.0,
    target_errors=(0.001, 0.01),
    thresholds=(0.9, 0.05),
)


@pytest.fixture
def served(tmp_path, model_dir):
    """`served(calibration, outputs=n)`: a model folder with a network of no merit and that calibration."""

    def make(calibration, *, outputs=11):
        torch.manual_seed(1)
        model = LeNet5(num_classes=outputs)
        folder = tmp_path / "models"
        fields = json.loads((model_dir / "lenet5" / "1" / "manifest.json").read_text())
        fields = {key: fields[key] for key in set(fields) - {"name", "version", "sha256", "preprocessing"}}
        fields |= {"architecture": model.architecture.to_dict(), "calibration": calibration and calibration.to_dict()}
        files = {"model.safetensors": model.to_safetensors(), "model.onnx": onnx_bytes(model)}
        write_model(folder / "lenet5" / "1", files, fields)
        return folder

    return make


async def test_a_models_calibration_is_applied(serving, served, digits):
    """Probabilities and confidence are those that the manifest's calibration makes of the network's logits."""
    folder = served(CALIBRATION)
    backend = open_backend(folder / "lenet5" / "1", device="cpu", max_batch_size=1)
    inputs = np.asarray(Image.open(io.BytesIO(digits[0])))
    expected = CALIBRATION.apply(backend.infer(normalize(inputs).input[None]))
    async with serving(model_dir=folder) as client:
        single = Prediction.model_validate_json((await client.post("/predict", content=digits[0])).content)
        batch = (await client.post("/predict/batch", content=digits[0])).json()["results"][0]
    assert single.probabilities == pytest.approx(expected.probabilities[0].tolist(), abs=1e-9)
    assert single.confidence == pytest.approx(expected.confidence[0], abs=1e-9)
    assert single.confidence < max(single.probabilities)
    assert single.digit == expected.probabilities[0].argmax()
    assert batch["confidence"] == pytest.approx(single.confidence, abs=1e-9)


async def test_a_target_error_is_the_threshold_that_keeps_it(serving, served, digits):
    """A target error accepts what reaches its threshold, 0 accepts nothing; together with a threshold it is 422."""
    confidence = None
    async with serving(model_dir=served(CALIBRATION)) as client:
        answers = {}
        for query in ("target_error=0.5", "target_error=0.01", "target_error=0.001", "target_error=0", "threshold=0"):
            answer = (await client.post(f"/predict?{query}", content=digits[0])).json()
            answers[query], confidence = answer["reasons"], answer["confidence"]
        both = await client.post("/predict?target_error=0.01&threshold=0.5", content=digits[0])
    assert 0.05 < confidence < 0.9
    assert answers == {
        "target_error=0.5": [],
        "target_error=0.01": [],
        "target_error=0.001": ["low_confidence"],
        "target_error=0": ["low_confidence"],
        "threshold=0": [],
    }
    assert code(both) == (422, "invalid_parameter")


async def test_what_is_no_digit_is_not_accepted(serving, served, digits):
    """Under the least digitness the reason is not_a_digit, whatever the threshold; a blank picture is blank alone."""
    blank = io.BytesIO()
    Image.new("L", (40, 50), 255).save(blank, "PNG")
    async with serving(model_dir=served(replace(CALIBRATION, least_digitness=1.0))) as client:
        easy = (await client.post("/predict?threshold=0", content=digits[0])).json()
        strict = (await client.post("/predict?threshold=1", content=digits[0])).json()
        nothing = (await client.post("/predict?threshold=0", content=blank.getvalue())).json()
    assert (easy["accepted"], easy["reasons"]) == (False, ["not_a_digit"])
    assert strict["reasons"] == ["not_a_digit", "low_confidence"]
    assert (nothing["confidence"], nothing["accepted"], nothing["reasons"]) == (0, False, ["blank"])


async def test_eleven_outputs_need_no_calibration(serving, served, digits):
    """Without a calibration the eleventh output's share is taken off the confidence, and target_error is 422."""
    async with serving(model_dir=served(None)) as client:
        answer = Prediction.model_validate_json((await client.post("/predict", content=digits[0])).content)
        refused = await client.post("/predict?target_error=0.01", content=digits[0])
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-9)
    assert 0 < answer.confidence < max(answer.probabilities)
    assert code(refused) == (422, "invalid_parameter")
    assert "lenet5:1" in refused.json()["error"]["message"]


async def test_a_network_that_reads_no_digits_is_not_served(serving, served):
    """A model with another number of outputs than ten digits have stops the start, with one line that says so."""
    with pytest.raises(ManifestInvalid, match="cannot read digits") as caught:
        async with serving(model_dir=served(None, outputs=3)):
            pass
    assert "\n" not in caught.value.message

"""`/read` and `/read/batch` through HTTP, in process, with a network that reads digits."""

import asyncio
import gzip
import json
from collections.abc import Callable
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import httpx
import numpy as np
import pytest
import stdnum.luhn
from lenet5_client.schemas import BatchReadResponse, ErrorBody, ReadResponse
from PIL import Image

from app import cli
from app.lenet.registry import Registry, default_model_dir
from app.lenet.weights import GRAPH, WEIGHTS, read_manifest, write_model

MNIST = Path(__file__).parents[2] / "training" / "data" / "mnist"


@pytest.fixture(scope="session")
def field_dir(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' model folder, and in it as lenet5-field:1 what reads single digits best."""
    digits = Registry.open(default_model_dir(), {}).resolve("lenet5", "digit").folder
    folder = tmp_path_factory.mktemp("field-models")
    (folder / "lenet5").symlink_to(model_dir / "lenet5")
    kept = read_manifest(digits).to_dict()
    for key in ("name", "version", "sha256", "preprocessing", "calibration", "field_calibration"):
        del kept[key]
    files = {name: (digits / name).read_bytes() for name in (WEIGHTS, GRAPH)}
    write_model(folder / "lenet5-field" / "1", files, {**kept, "task": "field"})
    return folder


@pytest.fixture
def reading(serving, field_dir: Path) -> Callable:
    """As `serving`, with a model of fields."""
    return lambda **options: serving(model_dir=field_dir, **options)


@pytest.fixture(scope="session")
def field(digits: list[bytes]) -> Callable[[str], bytes]:
    """`field("90210")`: a picture of these digits of MNIST's, one beside the other, dark on light."""
    with gzip.open(MNIST / "train-labels-idx1-ubyte.gz") as file:
        labels = list(file.read(8 + len(digits))[8:])

    def draw(string: str) -> bytes:
        picture = Image.new("L", (28 * len(string) + 20, 48), 0)
        for place, digit in enumerate(string):
            picture.paste(Image.open(BytesIO(digits[labels.index(int(digit))])), (10 + 28 * place, 10))
        out = BytesIO()
        Image.fromarray(255 - np.asarray(picture)).save(out, "PNG")
        return out.getvalue()

    return draw


def code(response: httpx.Response) -> tuple[int, str]:
    """A refusal's status and code, once its body is known to have the one shape."""
    return response.status_code, ErrorBody.model_validate_json(response.content).error.code


async def test_a_field_is_answered_as_the_contract_says(reading, field):
    """The answer has the contract's keys; the text, its characters and the first alternative say the same."""
    async with reading() as client:
        response = await client.post("/read?kind=postal_code&country=US", content=field("90210"))
    assert response.status_code == 200
    assert {"decode", "queue", "infer"} == {
        part.split(";")[0] for part in response.headers["server-timing"].split(", ")
    }
    keys = "text accepted confidence reasons alternatives characters threshold target_error field image model"
    assert set(response.json()) == set(keys.split())
    answer = ReadResponse.model_validate_json(response.content)
    assert answer.text.isdigit()
    assert len(answer.text) in (5, 9)
    assert [one.char for one in answer.characters] == list(answer.text)
    assert (answer.alternatives[0].text, answer.alternatives[0].probability) == (answer.text, answer.confidence)
    assert (answer.field.kind, answer.field.country, answer.field.valid) == ("postal_code", "US", True)
    assert (answer.image.width, answer.image.height, answer.image.polarity) == (160, 48, "dark_on_light")
    assert (answer.model.name, answer.model.version) == ("lenet5-field", "1")
    assert answer.target_error == 0.01
    assert answer.accepted == (not answer.reasons)


async def test_probabilities_hang_together(reading, field):
    """Alternatives are distinct, descend and sum to one at most; no character is less probable than the text."""
    async with reading() as client:
        answer = (await client.post("/read?n_best=20", content=field("3141592"))).json()
    probabilities = [one["probability"] for one in answer["alternatives"]]
    assert len({one["text"] for one in answer["alternatives"]}) == len(probabilities) <= 20
    assert probabilities == sorted(probabilities, reverse=True)
    assert sum(probabilities) <= 1 + 1e-9
    for one in answer["characters"]:
        assert one["probability"] >= answer["confidence"] - 1e-9
        assert one["alternatives"][0]["probability"] >= one["probability"] - 1e-9


async def test_boxes_are_in_the_callers_pixels(reading, field):
    """Each digit's box lies where it was drawn, in a picture twice as large as well."""
    drawn = field("4071")
    large = BytesIO()
    with Image.open(BytesIO(drawn)) as picture:
        picture.resize((picture.width * 2, picture.height * 2)).save(large, "PNG")
    async with reading() as client:
        answers = [(await client.post("/read?length=4", content=sent)).json() for sent in (drawn, large.getvalue())]
    for answer, scale in zip(answers, (1, 2), strict=True):
        assert len(answer["characters"]) == 4
        for place, one in enumerate(answer["characters"]):
            x, y, width, height = one["box"]
            assert (10 + 28 * place) * scale <= x + width / 2 <= (38 + 28 * place) * scale
            assert 8 * scale <= y
            assert y + height <= 40 * scale


async def test_the_way_a_field_is_sent_does_not_matter(reading, field):
    """Raw, as a form's file, and as a batch of one: the same answer."""
    async with reading() as client:
        raw = (await client.post("/read", content=field("271"), headers={"Content-Type": "image/png"})).json()
        form = (await client.post("/read", files={"file": field("271")})).json()
        batch = (await client.post("/read/batch", files=[("files", field("271"))])).json()
        raw_batch = (await client.post("/read/batch", content=field("271"))).json()
    for other in (form, batch["results"][0], raw_batch["results"][0]):
        assert other["text"] == raw["text"]
        assert other["confidence"] == pytest.approx(raw["confidence"], abs=1e-6)
    assert batch["model"] == raw["model"]


async def test_a_blank_field_is_answered_and_not_accepted(reading):
    """A picture with nothing on it is 200: no text, a confidence of 0, the reason blank."""
    blank = BytesIO()
    Image.new("L", (200, 40), 255).save(blank, "PNG")
    async with reading() as client:
        answer = (await client.post("/read?threshold=0", content=blank.getvalue())).json()
    assert (answer["text"], answer["accepted"], answer["confidence"]) == ("", False, 0)
    assert (answer["reasons"], answer["alternatives"], answer["characters"]) == (["blank"], [], [])
    assert answer["field"]["valid"] is False


async def test_another_length_than_the_pictures_is_never_accepted(reading, field):
    """A field that asks for more or fewer digits than there are is not accepted, whatever the threshold."""
    async with reading() as client:
        for length in (2, 9):
            answer = (await client.post(f"/read?length={length}&threshold=0", content=field("90210"))).json()
            assert not answer["accepted"]
            assert "length_mismatch" in answer["reasons"]


async def test_the_threshold_decides_what_is_accepted(reading, field):
    """Under the threshold asked for low_confidence is among the reasons, above it not; no reason means accepted."""
    async with reading() as client:
        lenient = (await client.post("/read?threshold=0", content=field("7"))).json()
        never = (await client.post("/read?threshold=1", content=field("7"))).json()
    assert (lenient["accepted"], lenient["reasons"], lenient["threshold"]) == (True, [], 0)
    assert lenient["target_error"] is None
    assert (never["accepted"], never["reasons"]) == (False, ["low_confidence"])


async def test_an_expected_text_is_scored(reading, field):
    """The expected text has its probability in the answer, be it what is read or not."""
    async with reading() as client:
        text = (await client.post("/read?length=5", content=field("90210"))).json()["text"]
        other = text[:-1] + str((int(text[-1]) + 1) % 10)
        right = (await client.post(f"/read?length=5&expected={text}", content=field("90210"))).json()
        wrong = (await client.post(f"/read?length=5&expected={other}", content=field("90210"))).json()
    assert right["expected"] == {"text": text, "probability": pytest.approx(right["confidence"], abs=1e-9)}
    assert wrong["expected"]["probability"] < right["expected"]["probability"]
    assert wrong["text"] == text


async def test_only_allowed_strings_are_read(reading, field):
    """With a part of allowed strings, as a file or as a text, the text is one of them."""
    async with reading() as client:
        sent = [
            {"files": {"file": field("90210")}, "data": {"allowed": "90211\n30210\n\n"}},
            {"files": {"file": field("90210"), "allowed": ("zips.txt", b"\xef\xbb\xbf90211\r\n30210\r\n")}},
        ]
        answers = [(await client.post("/read", **each)).json() for each in sent]
        bad = await client.post("/read", files={"file": field("1"), "allowed": ("zips.txt", b"\xff\xff")})
    assert all(answer["text"] in ("90211", "30210") for answer in answers)
    assert answers[0]["text"] == answers[1]["text"]
    assert code(bad) == (422, "invalid_parameter")


async def test_only_numbers_with_a_right_check_digit_are_read(reading, field):
    """With a check digit all texts are right by it, and the one that is read has no more than its own probability.

    In a batch the picture's own options say of it what they say of a length.
    """
    async with reading() as client:
        checked = (await client.post("/read?length=5&check=luhn", content=field("90210"))).json()
        free = await client.post(f"/read?length=5&expected={checked['text']}", content=field("90210"))
        batch = await client.post(
            "/read/batch?length=5&check=luhn",
            files=[("files", field("90210"))] * 3,
            data={"options": json.dumps([None, {"length": 5}, {"check": "luhn"}])},
        )
    assert checked["text"]
    assert all(stdnum.luhn.is_valid(one["text"]) for one in checked["alternatives"])
    assert checked["confidence"] == pytest.approx(free.json()["expected"]["probability"], abs=1e-9)
    first, second, third = batch.json()["results"]
    assert first["text"] == checked["text"]
    assert second["text"] == free.json()["text"]
    assert stdnum.luhn.is_valid(third["text"])


async def test_debug_has_the_segmentation_graph(reading, field):
    """The graph's path leads over its candidates from the first node to the last; without debug there is none."""
    async with reading() as client:
        plain = (await client.post("/read", content=field("271"))).json()
        graph = (await client.post("/read?debug=true", content=field("271"))).json()["debug"]
    assert "debug" not in plain
    path = [graph["candidates"][step["candidate"]] for step in graph["path"]]
    assert [one["start"] for one in path] == [0, *(one["stop"] for one in path[:-1])]
    assert path[-1]["stop"] == graph["nodes"] - 1
    assert len(graph["cuts"]) == graph["nodes"] - 2
    assert [cut["taken"] for cut in graph["cuts"]] == [
        node in {one["stop"] for one in path} for node in range(1, graph["nodes"] - 1)
    ]
    for left, right in pairwise(path):  # the cut between two characters passes between the middles of their boxes
        points = graph["cuts"][left["stop"] - 1]["points"]
        across = sum(x for x, _ in points) / len(points)
        assert left["box"][0] + left["box"][2] / 2 < across < right["box"][0] + right["box"][2] / 2
        assert [y for _, y in points] == sorted(y for _, y in points)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("model=lenet5-field:1", 200),
        ("country=us&kind=postal_code", 200),
        ("pattern=%23%23-%23", 200),
        ("min_length=2", 200),
        ("check=luhn", 200),
        ("unknown=1", 200),
        ("target_error=0.05", 200),
        ("model=lenet5", (404, "unknown_model")),
        ("model=lenet5-field:2", (404, "unknown_model")),
        ("kind=cheque", (422, "invalid_parameter")),
        ("kind=postal_code", (422, "invalid_parameter")),
        ("kind=postal_code&country=XX", (422, "invalid_parameter")),
        ("kind=postal_code&country=USA", (422, "invalid_parameter")),
        ("kind=postal_code&country=GB", (422, "country_not_supported")),
        ("length=0", (422, "invalid_parameter")),
        ("length=5&min_length=4", (422, "invalid_parameter")),
        ("min_length=5&max_length=4", (422, "invalid_parameter")),
        ("pattern=(", (422, "invalid_parameter")),
        ("kind=amount&length=5", (422, "invalid_parameter")),
        ("check=isbn", (422, "invalid_parameter")),
        ("check=aba&length=8", (422, "invalid_parameter")),
        ("kind=amount&check=luhn", (422, "invalid_parameter")),
        ("expected=12a", (422, "invalid_parameter")),
        ("n_best=0", (422, "invalid_parameter")),
        ("debug=maybe", (422, "invalid_parameter")),
        ("threshold=2", (422, "invalid_parameter")),
        ("target_error=nan", (422, "invalid_parameter")),
        ("threshold=0.5&target_error=0.01", (422, "invalid_parameter")),
    ],
)
async def test_query_parameters_are_checked(reading, field, query, expected):
    """What is known and hangs together is taken; anything else has its documented code."""
    async with reading() as client:
        response = await client.post(f"/read?{query}", content=field("271"))
    assert expected == (response.status_code if response.is_success else code(response))


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"content": b"no picture"}, (422, "invalid_image")),
        ({"content": b"x", "headers": {"Content-Type": "text/plain"}}, (415, "unsupported_media_type")),
        ({"files": {"picture": b"x"}}, (400, "malformed_request")),
    ],
)
async def test_what_is_no_field_has_its_code(reading, request_, expected):
    """A body that is no picture, or no form with one, is refused as `/predict` does."""
    async with reading() as client:
        assert code(await client.post("/read", **request_)) == expected


async def test_a_batch_has_options_for_each_picture(reading, field):
    """Options of one picture win over the query's, null keeps them, and a wrong one spoils only its own place."""
    options = [
        {"length": 3},
        None,
        {"kind": "postal_code", "country": "GB"},
        {"pattern": "##-#", "threshold": 0.5},
        {"lenght": 3},
        {"n_best": 1, "debug": True},
        {},
    ]
    sent = [field("271")] * 6 + [b"no picture"]
    async with reading() as client:
        response = await client.post(
            "/read/batch?min_length=2&max_length=4&target_error=0.05",
            files=[("files", data) for data in sent],
            data={"options": json.dumps(options)},
        )
    results = BatchReadResponse.model_validate_json(response.content).results
    codes = [result.error.code if isinstance(result, ErrorBody) else None for result in results]
    assert codes == [
        None,
        None,
        "country_not_supported",
        None,
        "invalid_parameter",
        None,
        "invalid_image",
    ]
    assert [len(results[i].text) for i in (0, 3)] == [3, 3]
    assert [(results[i].threshold, results[i].target_error) for i in (1, 3)] == [
        (pytest.approx(0.95), 0.05),
        (0.5, None),
    ]
    assert len(results[5].alternatives) == 1
    assert results[5].debug


@pytest.mark.parametrize("options", ["{", "{}", "[1]", "[{}]", "[{}, {}, {}]"])
async def test_options_that_are_no_list_for_the_pictures(reading, field, options):
    """A part options that is no JSON list with a place for each picture is one 422, and nothing is read."""
    async with reading() as client:
        response = await client.post("/read/batch", files=[("files", field("1"))] * 2, data={"options": options})
    assert code(response) == (422, "invalid_parameter")


async def test_fields_share_passes_and_give_each_its_own(reading, field):
    """Many fields at once, singly and in a batch, get the answers that each gets alone."""
    strings = ["90210", "271", "3141", "60653", "8"]
    async with reading() as client:
        alone = [(await client.post("/read", content=field(string))).json() for string in strings]
        together = await asyncio.gather(*(client.post("/read", content=field(string)) for string in strings))
        batch = (await client.post("/read/batch", files=[("files", field(string)) for string in strings])).json()
    for one, other, third in zip(alone, (answer.json() for answer in together), batch["results"], strict=True):
        assert one["text"] == other["text"] == third["text"]
        assert one["confidence"] == pytest.approx(other["confidence"], abs=1e-5)
        assert one["confidence"] == pytest.approx(third["confidence"], abs=1e-5)


async def test_each_task_has_its_default(reading, serving, field):
    """`/models` has a default of each task; without a model of fields `/read` is 404 and all else works."""
    async with reading() as client:
        models = (await client.get("/models")).json()["models"]
        other = await client.post("/predict?model=lenet5-field", content=field("1"))
    assert {(m["name"], m["task"]) for m in models if m["default"]} == {("lenet5", "digit"), ("lenet5-field", "field")}
    assert code(other) == (404, "unknown_model")
    async with serving() as client:
        assert code(await client.post("/read", content=field("1"))) == (404, "unknown_model")
        assert (await client.post("/predict", content=field("1"))).status_code == 200


def test_the_command_line_reads_with_a_folder_of_ones_own(field_dir, field, tmp_path, capsys):
    """`lenet5 read --model-dir DIR` prints the text that the folder's model reads, with --json all that was found."""
    file = tmp_path / "field.png"
    file.write_bytes(field("271"))
    command = ["read", str(file), "--model-dir", str(field_dir), "--length", "3"]
    cli.app(command, result_action="return_value")
    text = capsys.readouterr().out.split()[0]
    cli.app([*command, "--json"], result_action="return_value")
    found = json.loads(capsys.readouterr().out)
    assert (found["text"], len(text), found["model"]) == (text, 3, {"name": "lenet5-field", "version": "1"})


async def test_each_reading_is_counted_with_its_confidence(reading, field):
    """By the model, and apart for those accepted and not; what cannot be read isn't counted."""
    batch = [("files", field("12")), ("files", b"no picture")]
    async with reading() as client:
        await client.post("/read?threshold=0", content=field("90210"))
        await client.post("/read/batch?threshold=0", files=batch)
        await client.post("/read?threshold=1", content=field("90210"))
        text = (await client.get("/metrics")).text
    for accepted, count in (("true", 2.0), ("false", 1.0)):
        series = f'lenet5_confidence_count{{accepted="{accepted}",model="lenet5-field",version="1"}} {count}'
        assert series in text.splitlines()

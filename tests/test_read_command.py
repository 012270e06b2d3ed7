"""`lenet5 read`: a field in a file, answered as the service answers it."""

import json
import math
import re
from collections.abc import Callable
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from lenet5_client.schemas import ReadResponse
from PIL import Image

from app import cli
from app.main import create_app
from app.settings import Settings

ZIP = Path(__file__).parents[1] / "examples" / "zip.png"
ALLOWED = "85610\n85615-1234\n\n85616\n"


@pytest.fixture
def lenet5(capsys) -> Callable[..., tuple[int, str, str]]:
    """`lenet5("read", FILE, ...)`: the exit code, standard output and standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="module")
def large() -> bytes:
    """A JPEG so large that it is decoded at half its size."""
    out = BytesIO()
    with Image.open(ZIP) as picture:
        canvas = Image.new("L", (2400, 2100), 200)
        canvas.paste(picture.convert("L").resize((148 * 14, 69 * 14)), (100, 500))
    canvas.save(out, "JPEG", quality=95)
    return out.getvalue()


async def posted(query: str, **sent: object) -> dict:
    """What the service answers to POST /read."""
    service = create_app(Settings(device="cpu"))
    async with (
        service.router.lifespan_context(service),
        httpx.AsyncClient(transport=httpx.ASGITransport(service), base_url="http://service") as client,
    ):
        return (await client.post(f"/read?{query}", **sent)).json()


def alike(one: object, other: object) -> bool:
    """The same JSON, but for rounding: a forward pass may have another number of pictures."""
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, abs_tol=1e-4)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == other


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", []),
        ("kind=postal_code&country=us&expected=85616", ["--kind=postal_code", "--country=us", "--expected=85616"]),
        ("length=5&n_best=2&threshold=0.5", ["--length=5", "--n-best=2", "--threshold=0.5"]),
        ("min_length=6&max_length=9&debug=true", ["--min-length=6", "--max-length=9", "--debug"]),
        ("pattern=8%23%7B4%7D&target_error=0.05", ["--pattern=8#{4}", "--target-error=0.05"]),
        ("kind=amount&model=lenet5-field-open", ["--kind=amount", "--model=lenet5-field-open"]),
    ],
)
async def test_the_answer_is_that_of_the_service(lenet5, query, options):
    """With --json and the same options it is what POST /read answers, which the client's schema knows."""
    code, out, _ = lenet5("read", ZIP, "--json", *options)
    answered = await posted(query, content=ZIP.read_bytes())
    assert code == 0
    assert alike(json.loads(out), answered), (out, answered)
    ReadResponse.model_validate_json(out)


async def test_allowed_strings_and_large_pictures_are_those_of_the_service(lenet5, tmp_path, large):
    """A file of allowed strings says what the part `allowed` says, and sizes and boxes are in the caller's pixels."""
    (tmp_path / "large.jpg").write_bytes(large)
    (tmp_path / "zips.txt").write_bytes(b"\xef\xbb\xbf" + ALLOWED.encode())
    _, out, _ = lenet5("read", tmp_path / "large.jpg", "--json", "--allowed", tmp_path / "zips.txt")
    answered = await posted("", files={"file": large}, data={"allowed": ALLOWED})
    found = json.loads(out)
    assert alike(found, answered), (found, answered)
    assert found["text"] in ("85610", "856151234", "85616")
    assert (found["image"]["width"], found["image"]["height"]) == (2400, 2100)


def test_the_line_for_people_says_what_was_read(lenet5):
    """One line: the text, its probability, accepted or the reasons; the expected text's probability where asked."""
    command = ["read", ZIP, "--length", "5"]
    _, accepted, _ = lenet5(*command, "--threshold", "0")
    _, refused, _ = lenet5(*command, "--threshold", "1", "--expected", "85615")
    assert accepted.startswith("85615  0.")
    assert accepted.endswith("  accepted\n")
    assert "  low_confidence  expected 85615 0." in refused
    assert refused.count("\n") == 1


def test_no_option_is_read_from_a_variable(lenet5, monkeypatch):
    """LENET5_KIND and its like change nothing; --help of `read` names the key's alone, that of `serve` its settings."""
    usual = lenet5("read", ZIP)
    for name, value in {"KIND": "postal_code", "COUNTRY": "GB", "LENGTH": "3", "THRESHOLD": "2", "JSON": "1"}.items():
        monkeypatch.setenv(f"LENET5_{name}", value)
    monkeypatch.setenv("LENET5_MODEL_DIR", "/nowhere")
    assert lenet5("read", ZIP) == usual
    assert "LENET5_" not in lenet5("read", "--help")[1].replace("LENET5_API_KEY", "")
    assert "LENET5_PORT" in lenet5("serve", "--help")[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nothing.png"], (1, "file_error")),
        (["empty"], (1, "file_error")),
        (["no-picture.txt"], (1, "invalid_image")),
        (["zip.png", "--allowed", "nothing.txt"], (1, "file_error")),
        (["zip.png", "--explain", "nowhere/out.png"], (1, "file_error")),
        (["zip.png", "--model", "other"], (1, "unknown_model")),
        (["zip.png", "--model", "lenet5"], (1, "unknown_model")),
        (["zip.png", "--model-dir", "nowhere"], (1, "model_not_found")),
        (["zip.png", "--allowed", "zip.png"], (2, "invalid_parameter")),
        (["zip.png", "--kind", "cheque"], (2, "invalid_parameter")),
        (["zip.png", "--kind", "postal_code"], (2, "invalid_parameter")),
        (["zip.png", "--kind", "postal_code", "--country", "GB"], (2, "country_not_supported")),
        (["zip.png", "--length", "5", "--pattern", "#"], (2, "invalid_parameter")),
        (["zip.png", "--threshold", "2"], (2, "invalid_parameter")),
        (["zip.png", "--threshold", "0.5", "--target-error", "0.1"], (2, "invalid_parameter")),
        (["zip.png", "--n-best", "few"], (2, "invalid_parameter")),
        (["zip.png", "--bogus"], (2, "invalid_parameter")),
        ([], (2, "invalid_parameter")),
    ],
)
def test_an_error_is_one_line_with_its_code(lenet5, tmp_path, monkeypatch, arguments, expected):
    """Exit code 1 for a file or a model, 2 for an option; nothing on standard output, one line on the other."""
    monkeypatch.chdir(tmp_path)
    Path("zip.png").write_bytes(ZIP.read_bytes())
    Path("no-picture.txt").write_text("90210")
    Path("empty").mkdir()
    ended, out, error = lenet5("read", *arguments)
    assert out == ""
    found = re.fullmatch(r"lenet5: .+ \[(\w+)\]\n", error)
    assert found, error
    assert (ended, found[1]) == expected


def test_a_wrong_options_line_names_the_option(lenet5):
    """It has the flag's name, and no variable where there is none."""
    assert lenet5("read", ZIP, "--n-best", "few")[2].startswith("lenet5: --n-best: ")
    assert lenet5("serve", "--workers", "0")[2].startswith("lenet5: --workers (LENET5_WORKERS): ")


def test_a_reading_is_drawn(lenet5, tmp_path):
    """--explain writes a PNG beside the answer, which has no graph for that."""
    drawn = tmp_path / "out.png"
    code, out, _ = lenet5("read", ZIP, "--json", "--explain", drawn)
    with Image.open(drawn) as picture:
        assert (picture.format, picture.width) == ("PNG", 1000)
    assert code == 0
    assert "debug" not in json.loads(out)


@pytest.mark.parametrize("options", [(), ("--output=texts", "--format=csv"), ("--output=texts", "--json")])
def test_a_cluster_writes_parquet_and_nothing_else(lenet5, options):
    """--ray without a folder, or with another form of results, is refused; tests/cluster has the rest."""
    code, out, error = lenet5("read", ZIP, "--ray", *options)
    assert (code, out) == (2, "")
    assert "it needs --output FOLDER, and takes no" in error


@pytest.mark.skipif(find_spec("ray") is not None, reason="ray is installed")
def test_a_cluster_needs_ray(lenet5, tmp_path):
    """Without the extra one line says so, and nothing is made."""
    code, _, error = lenet5("read", ZIP, "--ray", "--output", tmp_path / "texts")
    assert (code, (tmp_path / "texts").exists()) == (2, False)
    assert error.startswith("lenet5: --ray needs the extra ray")

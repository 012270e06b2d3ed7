"""What the shipped field models read."""

from pathlib import Path

import pytest
from lenet5_client.schemas import ModelList, ReadResponse
from PIL import Image

import app
from app import cli
from app.lenet.registry import default_model_dir

ZIP = Path(__file__).parents[2] / "examples" / "zip.png"
HARD = Path(app.__file__).parent / "static" / "samples" / "corner-9.png"


@pytest.mark.parametrize("model", ["lenet5-field", "lenet5-field-open"])
async def test_a_postal_code_is_read(serving, model):
    """Five digits on gray, ruled paper are read right, and each box lies right of the one before."""
    async with serving(model_dir=default_model_dir()) as client:
        response = await client.post(f"/read?kind=postal_code&country=US&model={model}", content=ZIP.read_bytes())
    answer = ReadResponse.model_validate_json(response.content)
    assert answer.text == "85615"
    assert answer.confidence > 0.9
    centres = [one.box[0] + one.box[2] / 2 for one in answer.characters]
    assert centres == sorted(centres)


async def test_the_thresholds_that_are_listed_are_those_that_hold(serving):
    """What /models says of a target error is what /read, and /predict, go by."""
    async with serving(model_dir=default_model_dir()) as client:
        models = ModelList.model_validate_json((await client.get("/models")).content).models
        field = next(one for one in models if one.task == "field" and one.default)
        assert set(field.thresholds) == {"digits", "postal_code", "amount"}
        for kind, table in field.thresholds.items():
            country = "&country=US" if kind == "postal_code" else ""
            query = f"kind={kind}{country}&target_error={table[1].target_error}"
            answer = await client.post(f"/read?{query}", content=ZIP.read_bytes())
            assert answer.json()["threshold"] == table[1].threshold
        (digit,) = next(one for one in models if one.task == "digit" and one.default).thresholds.values()
        confidence = (await client.post("/predict", content=HARD.read_bytes())).json()["confidence"]
        accepted = [
            (await client.post(f"/predict?target_error={one.target_error}", content=HARD.read_bytes())).json()[
                "accepted"
            ]
            for one in digit
        ]
        assert accepted == [confidence >= one.threshold for one in digit]
        assert {True, False} == set(accepted)


def test_the_command_line_reads_a_file(capsys):
    """`lenet5 read FILE` prints the text."""
    cli.app(["read", str(ZIP), "--kind", "postal_code", "--country", "US"], result_action="return_value")
    assert "85615" in capsys.readouterr().out


def test_the_command_line_reads_a_blank_file(tmp_path, capsys):
    """Paper without ink has no candidates: no text, and the reason blank."""
    Image.new("L", (80, 40), 255).save(tmp_path / "blank.png")
    cli.app(["read", str(tmp_path / "blank.png")], result_action="return_value")
    assert capsys.readouterr().out.startswith("-  0.0000  blank")

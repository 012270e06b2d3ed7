"""What the shipped field models read."""

from pathlib import Path

import pytest
from lenet5_client.schemas import ReadResponse
from PIL import Image

from app import cli
from app.lenet.registry import default_model_dir

ZIP = Path(__file__).parents[2] / "examples" / "zip.png"


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


def test_the_command_line_reads_a_file(capsys):
    """`lenet5 read FILE` prints the text."""
    cli.app(["read", str(ZIP), "--kind", "postal_code", "--country", "US"], result_action="return_value")
    assert "85615" in capsys.readouterr().out


def test_the_command_line_reads_a_blank_file(tmp_path, capsys):
    """Paper without ink has no candidates: no text, and the reason blank."""
    Image.new("L", (80, 40), 255).save(tmp_path / "blank.png")
    cli.app(["read", str(tmp_path / "blank.png")], result_action="return_value")
    assert capsys.readouterr().out.startswith("-  0.0000  blank")

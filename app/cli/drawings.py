"""Where `--explain` draws: one PNG of its name for one picture, or a folder with one for each."""

import asyncio
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from lenet5_client.schemas import Prediction, ReadResponse
from PIL import Image

from app.cli.ends import FileError
from app.cli.inputs import Inputs
from app.cli.work import Answers, Picture
from app.errors import InvalidParameter
from app.explain import explanation
from app.explain.digit import digit_explanation
from app.imaging import DecodeLimits, decode
from app.serving.engine import FieldAnswer


class Drawings:
    """The files of the drawings."""

    def __init__(self, place: Path, inputs: Inputs) -> None:
        """Raises InvalidParameter for one PNG where there are several pictures."""
        self._place = place
        self._one = place.suffix.lower() == ".png"
        if self._one and inputs.only() is None:
            raise InvalidParameter(
                f"{place} would be the drawing of one picture; for several name a folder.", parameter="explain"
            )

    def write(self, name: str, drawing: Image.Image) -> None:
        """The drawing of the picture of that name. Raises FileError."""
        file = self._place
        if not self._one:
            inside = [part for part in PurePath(name).parts if part not in ("/", "..")]
            file = file.joinpath(*inside[:-1], f"{inside[-1]}.png")
        try:
            if not self._one:
                file.parent.mkdir(parents=True, exist_ok=True)
            drawing.save(file, "PNG")
        except (OSError, ValueError) as error:
            raise FileError(
                f"{file} cannot be written: {getattr(error, 'strerror', error)}.", file=str(file)
            ) from error

    async def draw_field(self, picture: Picture, read: FieldAnswer, answer: dict[str, Any]) -> None:
        """How a field was read; `read` has its graph. Raises FileError."""
        await asyncio.to_thread(self._draw_field, picture, read, answer)

    def _draw_field(self, picture: Picture, read: FieldAnswer, answer: dict[str, Any]) -> None:
        gray = decode(picture.data, DecodeLimits())
        drawing = explanation(gray, read.proposal, read.reading, ReadResponse.model_validate(answer))
        self.write(picture.name, drawing)


class DigitsDrawn:
    """Answers to pictures of digits, each drawn as it comes."""

    def __init__(self, answers: Answers, drawings: Drawings) -> None:
        self._answers = answers
        self._drawings = drawings

    async def __call__(self, pictures: Sequence[Picture]) -> Sequence[dict[str, Any]]:
        answers = await self._answers(pictures)
        await asyncio.to_thread(self._draw, pictures, answers)
        return answers

    def _draw(self, pictures: Sequence[Picture], answers: Sequence[dict[str, Any]]) -> None:
        for picture, answer in zip(pictures, answers, strict=True):
            if "error" not in answer:
                gray = decode(picture.data, DecodeLimits())
                self._drawings.write(picture.name, digit_explanation(gray, Prediction.model_validate(answer)))

"""What is sent for each call, and what its answer says: no connection, no clock, no event loop."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import ValidationError

from lenet5_client.errors import InvalidAnswer, error_of
from lenet5_client.options import DigitOptions, FieldOptions, ReadOptions, checked
from lenet5_client.schemas import (
    BatchPrediction,
    BatchReadResponse,
    ErrorBody,
    Health,
    ModelList,
    Prediction,
    ReadResponse,
    Wire,
)
from lenet5_client.waiting import seconds_to_wait

Answer = TypeVar("Answer", bound=Wire)
Part = tuple[str, tuple[str, bytes]]
"""Of a form: its field, filename and content."""


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request, and the schema of its answer."""

    method: str
    path: str
    answer: type[Answer]
    params: Mapping[str, str]
    content: bytes | None = None  # the raw body, or
    form: Sequence[Part] = ()
    repeated: bool = True  # after a connection error, 429 and 503

    def result(self, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        """What an HTTP answer says; raises Lenet5Error for all but what was asked for. Header names are lower case."""
        request_id, retry_after = headers.get("x-request-id"), seconds_to_wait(headers.get("retry-after"))
        try:
            if status == 200:
                return self.answer.model_validate_json(body)
            detail = ErrorBody.model_validate_json(body).error
        except ValidationError as error:
            raise InvalidAnswer(
                f"The answer with HTTP status {status} is none of the service's.",
                details={"body": body[:500].decode(errors="replace"), "found": str(error)[:500]},
                status=status,
                request_id=request_id,
                retry_after=retry_after,
            ) from None
        raise error_of(detail, status=status, request_id=request_id, retry_after=retry_after)


def predict(picture: bytes, options: DigitOptions) -> Call[Prediction]:
    """One picture file of one digit; raises TypeError for an option that there is not."""
    return Call("POST", "/predict", Prediction, _params(checked(options, DigitOptions)), content=picture)


def predict_batch(pictures: Sequence[bytes], options: DigitOptions) -> Call[BatchPrediction]:
    """Many picture files of one digit each; raises TypeError for an option that there is not."""
    form = [_part("files", picture) for picture in pictures]
    return Call("POST", "/predict/batch", BatchPrediction, _params(checked(options, DigitOptions)), form=form)


def read(picture: bytes, options: ReadOptions) -> Call[ReadResponse]:
    """One picture file of one field; raises TypeError for an option that there is not."""
    said = checked(options, ReadOptions)
    if form := _allowed(said):
        return Call("POST", "/read", ReadResponse, _params(said), form=[_part("file", picture), *form])
    return Call("POST", "/read", ReadResponse, _params(said), content=picture)


def read_batch(
    pictures: Sequence[bytes], options: ReadOptions, each: Sequence[FieldOptions | None]
) -> Call[BatchReadResponse]:
    """Many picture files of one field each, with options for all and for each; raises TypeError as `read`."""
    said = checked(options, ReadOptions)
    form = [_part("files", picture) for picture in pictures] + _allowed(said)
    if any(each):
        own = [checked(one or {}, FieldOptions) for one in each]
        form.append(_part("options", json.dumps(own).encode()))
    return Call("POST", "/read/batch", BatchReadResponse, _params(said), form=form)


MODELS = Call("GET", "/models", ModelList, {})
READY = Call("GET", "/health/ready", Health, {}, repeated=False)  # whoever asks wants to know how it is now


def _params(options: Mapping[str, object]) -> dict[str, str]:
    """As a query has them."""
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in options.items()}


def _allowed(said: dict[str, object]) -> list[Part]:
    """The texts that may occur, taken out of the options: there may be more of them than a query holds."""
    texts = said.pop("allowed", None)
    if texts is None:
        return []
    lines = texts if isinstance(texts, str) else "\n".join(texts)  # type: ignore[arg-type] # a Sequence[str]
    return [_part("allowed", lines.encode())]


def _part(field: str, content: bytes) -> Part:
    return field, (field, content)

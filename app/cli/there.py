"""Pictures read by a service, over `lenet5_client`: batches, bounded concurrency, retries."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import stamina
from lenet5_client import AsyncClient, Client, Lenet5Error
from lenet5_client.schemas import ModelInfo, Wire

from app.cli.options import Where, api_key
from app.cli.work import Picture
from app.errors import InvalidParameter, ServiceError
from app.serving.digit_options import DigitRequest
from app.serving.field_options import FieldRequest

ONE_PICTURES: Final = frozenset(
    {"invalid_image", "image_too_large", "body_too_large", "unsupported_media_type", "inference_failed"}
)
"""Codes of what is wrong with one picture; any other error ends the work, as it would come again with the next."""
WRONG_OPTION: Final = frozenset({"invalid_parameter", "country_not_supported"})


class AtService(ServiceError):
    """The service has answered with an error, or not at all."""

    def __init__(self, error: Lenet5Error) -> None:
        super().__init__(error.message, **error.details)
        self.code = error.code  # type: ignore[misc]  # of this one alone, which is not answered over HTTP


def raised(error: Lenet5Error) -> ServiceError:
    """A client's error as one of ours."""
    return InvalidParameter(error.message, **error.details) if error.code in WRONG_OPTION else AtService(error)


@asynccontextmanager
async def client_of(where: Where) -> AsyncIterator[AsyncClient]:
    """A client of `where.url`. Raises InvalidParameter for what is no URL."""
    assert where.url is not None  # noqa: S101 - who asks has seen it
    try:
        _silence()
        client = AsyncClient(where.url, api_key=api_key(), timeout=where.timeout, concurrency=where.concurrency)
    except ValueError as error:
        raise InvalidParameter(f"--url: {error}", parameter="url") from None
    async with client:
        yield client


class DigitsThere:
    """Answers to pictures of digits."""

    def __init__(self, client: AsyncClient, asked: DigitRequest) -> None:
        self._client = client
        self._options: dict[str, Any] = asked.model_dump(exclude_none=True)

    async def __call__(self, pictures: Sequence[Picture]) -> list[dict[str, Any]]:
        """The wire's `Prediction` of each, or its `ErrorBody`. Raises ServiceError for what ends the work."""
        return [_answer(found) for found in await self._client.predict_many(_data(pictures), **self._options)]


class FieldsThere:
    """Answers to pictures of fields."""

    def __init__(self, client: AsyncClient, asked: FieldRequest, allowed: str | None) -> None:
        """`allowed` are the strings that may occur, one a line."""
        self._client = client
        self._options: dict[str, Any] = asked.model_dump(exclude_defaults=True)
        if allowed is not None:
            self._options["allowed"] = allowed.splitlines()

    async def __call__(self, pictures: Sequence[Picture]) -> list[dict[str, Any]]:
        """The wire's `ReadResponse` of each, or its `ErrorBody`. Raises ServiceError for what ends the work."""
        return [_answer(found) for found in await self._client.read_many(_data(pictures), **self._options)]


def models_of(url: str) -> Sequence[ModelInfo]:
    """The models that a service serves. Raises ServiceError."""
    try:
        _silence()
        with Client(url, api_key=api_key()) as client:
            return client.models()
    except Lenet5Error as error:
        raise raised(error) from error
    except ValueError as error:
        raise InvalidParameter(f"--url: {error}", parameter="url") from None


def _silence() -> None:
    """Retries would be logged on standard output, among the results."""
    stamina.instrumentation.set_on_retry_hooks([])


def _data(pictures: Sequence[Picture]) -> list[bytes]:
    return [picture.data for picture in pictures]


def _answer(found: Wire | Lenet5Error) -> dict[str, Any]:
    if isinstance(found, Wire):
        return found.model_dump(mode="json", exclude_unset=True)
    if found.code not in ONE_PICTURES:
        raise raised(found)
    return {"error": {"code": found.code, "message": found.message, "details": dict(found.details)}}

"""The clients against a real service on a real socket, with the weights that come with it."""

import asyncio
import io
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lenet5_client import AsyncClient, Client, Lenet5Error
from lenet5_client.errors import (
    CountryNotSupported,
    InvalidImage,
    InvalidParameter,
    NotFound,
    UnknownModel,
    UnreadablePicture,
)
from lenet5_client.schemas import Prediction, ReadResponse
from PIL import Image
from running import Running

EXAMPLES = Path(__file__).parents[2] / "examples"
SEVEN, ZIP = EXAMPLES / "7.png", EXAMPLES / "zip.png"
US = {"kind": "postal_code", "country": "US"}


def asynchronously(service: Running, work: Callable[[AsyncClient], Any]) -> Any:
    """What an AsyncClient answers."""

    async def ask() -> Any:
        async with AsyncClient(service.url, timeout=120) as client:
            return await work(client)

    return asyncio.run(ask())


def test_a_digit_is_predicted_from_whatever_holds_it(client: Client) -> None:
    """Bytes, a path, its text, an open file, a Pillow image and an array of one picture have the same answer."""
    image = Image.open(SEVEN)
    data = SEVEN.read_bytes()
    held = [data, bytearray(data), SEVEN, str(SEVEN), io.BytesIO(data), image, np.asarray(image)]
    answers = [client.predict(picture) for picture in held]
    assert {answer.digit for answer in answers} == {7}
    assert {answer.confidence for answer in answers} == {answers[0].confidence}


def test_options_reach_the_service(client: Client) -> None:
    """A threshold decides what is accepted, a model answers, and what is None is the service's default."""
    answer = client.predict(SEVEN, threshold=None, model="lenet5:1")
    assert answer.model.version == "1"
    assert not client.predict(SEVEN, threshold=1.0).accepted
    read = client.read(ZIP, **US, n_best=1, expected="85616", debug=True)
    assert (read.text, read.field.country, len(read.alternatives)) == ("85615", "US", 1)
    assert read.expected.text == "85616"
    assert read.debug
    assert client.read(ZIP, allowed=["12345", "85616"]).text == "85616"


@pytest.mark.parametrize(
    ("ask", "kind", "status"),
    [
        (lambda client: client.predict(b"no picture"), InvalidImage, 422),
        (lambda client: client.predict(SEVEN, model="lenet6"), UnknownModel, 404),
        (lambda client: client.predict(SEVEN, threshold=2.0), InvalidParameter, 422),
        (lambda client: client.read(ZIP, kind="postal_code", country="GB"), CountryNotSupported, 422),
        (lambda client: client.predict("nowhere.png"), UnreadablePicture, None),
    ],
)
def test_a_refusal_is_raised_as_its_own_class(client: Client, ask, kind, status) -> None:
    """The exception has the code, a sentence, the evidence, the status, and an id where something was sent."""
    with pytest.raises(kind) as raised:
        ask(client)
    error = raised.value
    assert (error.code, error.status) == (kind.code, status)
    assert error.message.endswith(".")
    assert str(error) == f"{error.message} [{error.code}]"
    assert bool(error.request_id) == (status is not None)


def test_an_option_that_there_is_not_is_a_type_error(client: Client) -> None:
    """A misspelt name is refused, alone and for many: the service would ignore it."""
    for ask in (client.predict, client.read):
        with pytest.raises(TypeError, match="treshold"):
            ask(ZIP, treshold=0.5)
    for ask in (client.predict_many, client.read_many):
        with pytest.raises(TypeError, match="treshold"):
            ask([ZIP], treshold=0.5)
    with pytest.raises(TypeError, match="lenght"):
        client.read_many([ZIP], each=[{"lenght": 5}])
    with pytest.raises(ValueError, match="each"):
        client.read_many([ZIP], each=[])


def test_many_digits_come_in_order_with_the_errors_in_their_places(client: Client, digits: list[bytes]) -> None:
    """Of 50 pictures each has what it has alone, more than the service takes at once too; bad ones spoil no other."""
    pictures: list[Any] = digits[:50]
    pictures[3], pictures[40] = b"no picture", "nowhere.png"
    told: list[tuple[int, int]] = []
    threads = set()
    results = client.predict_many(
        iter(pictures), progress=lambda *step: (told.append(step), threads.add(threading.get_ident()))
    )
    assert [type(result).__name__ for result in results if not isinstance(result, Prediction)] == [
        "InvalidImage",
        "UnreadablePicture",
    ]
    assert isinstance(results[3], InvalidImage)
    assert isinstance(results[40], UnreadablePicture)
    for place in (0, 31, 32, 49):
        alone = client.predict(pictures[place])
        assert results[place].digit == alone.digit
        assert results[place].confidence == pytest.approx(alone.confidence, abs=1e-5)
    assert len({result.digit for result in results if isinstance(result, Prediction)}) == 10
    assert sorted(told) == told
    assert told[-1] == (50, None)
    assert threads == {threading.get_ident()}


def test_what_is_too_large_for_one_request_goes_in_several(client: Client) -> None:
    """Pictures that together exceed the bytes of a batch are all answered; one that exceeds them alone is an error."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 600), np.uint8)
    results = client.predict_many([noise[:300, :300]] * 5 + [noise])  # 90 kB each, and 360 kB
    assert all(isinstance(result, Prediction) for result in results[:5])
    assert isinstance(results[5], Lenet5Error)
    assert results[5].code == "body_too_large"


def test_many_fields_have_options_of_their_own(client: Client) -> None:
    """What `each` says wins over what is said for all; a contradiction is the error of its own picture."""
    told = []
    results = client.read_many(
        [ZIP, ZIP, b"no picture", ZIP],
        each=[US, {"length": 3, "n_best": 1}, None, {"check": "luhn", "kind": "amount"}],
        n_best=2,
        progress=lambda *step: told.append(step),
    )
    first, second, bad, contradiction = results
    assert (first.text, first.field.kind) == ("85615", "postal_code")
    assert len(first.alternatives) <= 2
    assert (len(second.text), len(second.alternatives)) == (3, 1)
    assert isinstance(bad, InvalidImage)
    assert isinstance(contradiction, InvalidParameter)
    assert told == [(4, 4)]


def test_no_pictures_are_no_results(client: Client) -> None:
    """An empty list asks nothing of the service."""
    assert client.predict_many([]) == []
    assert client.read_many([]) == []


def test_an_async_client_answers_as_the_other(service: Running, client: Client, digits: list[bytes]) -> None:
    """One picture, many of them, fields, models and health."""
    told: list[tuple[int, int]] = []

    async def ask(mine: AsyncClient) -> list[Any]:
        return [
            await mine.predict(SEVEN),
            *await mine.predict_many(digits[:4], progress=lambda *step: told.append(step)),
            await mine.read(ZIP, **US),
            *await mine.read_many([ZIP], each=[US]),
            await mine.models(),
            await mine.health(),
        ]

    predicted, *digits_read, read, again, models, health = asynchronously(service, ask)
    assert predicted == client.predict(SEVEN)
    assert [one.digit for one in digits_read] == [client.predict(digit).digit for digit in digits[:4]]
    assert read.text == again.text == "85615"
    assert isinstance(again, ReadResponse)
    assert models == client.models()
    assert health == client.health()
    assert told == [(4, 4)]


def test_the_service_says_what_it_serves(client: Client) -> None:
    """The models with their tasks, and that it is ready."""
    assert {(model.name, model.task) for model in client.models() if model.default} == {
        ("lenet5", "digit"),
        ("lenet5-field", "field"),
    }
    assert client.health().status == "ready"


def test_results_are_frozen(client: Client) -> None:
    """A result cannot be changed by accident."""
    with pytest.raises(ValueError, match="frozen"):
        client.predict(SEVEN).digit = 8


def test_one_client_serves_many_threads_and_keeps_its_connections(
    client: Client, proxy: Callable[..., Any], digits: list[bytes]
) -> None:
    """Twelve calls from three threads need at most three connections; calls one after another need one."""
    alone, shared = proxy(), proxy()
    with Client(alone.url) as one_by_one:
        for digit in digits[:5]:
            one_by_one.predict(digit)
    assert alone.connections == 1
    found: dict[int, int] = {}
    with Client(shared.url) as connected:

        def ask(start: int) -> None:
            for place in range(start, 12, 3):
                found[place] = connected.predict(digits[place]).digit

        threads = [threading.Thread(target=ask, args=(start,)) for start in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [found[place] for place in range(12)] == [client.predict(digit).digit for digit in digits[:12]]
    assert shared.connections <= 3


def test_a_service_under_a_path_is_called_there(service: Running) -> None:
    """The URL may end in a path, with a slash or without: behind a proxy a service often has one."""
    for url in (service.url + "/elsewhere", service.url + "/elsewhere/"):
        with Client(url) as client, pytest.raises(NotFound) as raised:
            client.predict(SEVEN)
        assert raised.value.details["path"] == "/elsewhere/predict"

"""`Client`: the calls of the service for programs without an event loop of their own.

They are those of `AsyncClient`, on an event loop in a thread. A blocking socket would know no deadline for a whole
exchange, only one for each read from it, and a thread that waits for it could not be cancelled: so a call ends by its
deadline whatever the peer does, and Ctrl-C ends all requests of a list at once.
"""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from lenet5_client import calls
from lenet5_client.background import Background, Errands
from lenet5_client.calls import Answer, Call
from lenet5_client.errors import Lenet5Error
from lenet5_client.exchange import DEFAULT_ATTEMPTS, DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT, DEFAULT_URL, Exchange
from lenet5_client.many import (
    DIGITS,
    FIELDS,
    Ask,
    Batch,
    Progress,
    batches,
    in_order,
    predictions,
    readings,
)
from lenet5_client.options import DigitOptions, FieldOptions, ReadOptions
from lenet5_client.pictures import Picture, encoded
from lenet5_client.schemas import Health, ModelInfo, Prediction, ReadResponse

Result = TypeVar("Result")


class Client:
    """Calls the service, on connections that are kept: make one and use it for everything, from any thread.

    It is closed by `with` or `close`. Every call raises a `Lenet5Error` (`lenet5_client.errors` has the tree) where it
    has no result, TypeError for an option that there is not, ValueError for a timeout that is none and RuntimeError
    once the client is closed. A call's `timeout` is its deadline in seconds, all tries and the pauses between them
    counted; without one it is the client's. Options that are left out are the service's defaults.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        attempts: int = DEFAULT_ATTEMPTS,
        concurrency: int = DEFAULT_CONCURRENCY,
    ) -> None:
        """Nothing is sent yet. Raises ValueError for what an argument may not be.

        Args:
            url: Of the service, with a path where it is served under one.
            api_key: Sent as X-API-Key, so that a proxy may have Authorization to itself.
            headers: Sent with every request.
            timeout: The deadline of a call in seconds, at most a day; the service is told what is left of it.
            attempts: Tries of a call at most, on connection errors and the HTTP statuses 429 and 503; Retry-After is
                honoured, and nothing is tried past the deadline.
            concurrency: Requests of one list that are under way at a time, at most.

        Proxies and certificate authorities are those of the environment (HTTPS_PROXY, SSL_CERT_FILE).
        """
        self._background = Background(
            partial(
                Exchange,
                url,
                api_key=api_key,
                headers=headers,
                timeout=timeout,
                attempts=attempts,
                concurrency=concurrency,
            )
        )

    def predict(self, picture: Picture, *, timeout: float | None = None, **options: Unpack[DigitOptions]) -> Prediction:
        """The digit in one picture."""
        return self._sent(calls.predict(encoded(picture), options), timeout)

    def predict_many(
        self,
        pictures: Iterable[Picture],
        *,
        timeout: float | None = None,
        progress: Progress | None = None,
        **options: Unpack[DigitOptions],
    ) -> list[Prediction | Lenet5Error]:
        """The digits in many pictures, in order; at the place of one that failed stands the error, which is not raised.

        They go in batches of 32. An iterable is read, and its files are opened, as their turn comes, so that only some
        batches are in memory. `timeout` is that of one batch; what the service refuses of a whole batch, such as a
        model that it has not, stands at each of its places. `progress` is called with the number that is done and that
        of all, None where `pictures` has no length. What `pictures` or `progress` raise is raised.
        """
        return self._many(
            partial(predictions, options=options, timeout=timeout), pictures, batches(pictures, most=DIGITS), progress
        )

    def read(self, picture: Picture, *, timeout: float | None = None, **options: Unpack[ReadOptions]) -> ReadResponse:
        """The text of one field: of a picture of one line of digits."""
        return self._sent(calls.read(encoded(picture), options), timeout)

    def read_many(
        self,
        pictures: Iterable[Picture],
        *,
        each: Iterable[FieldOptions | None] | None = None,
        timeout: float | None = None,
        progress: Progress | None = None,
        **options: Unpack[ReadOptions],
    ) -> list[ReadResponse | Lenet5Error]:
        """The texts of many fields, in order, as `predict_many`, in batches of 8.

        `each` has options for each picture, which win over those for all. Raises ValueError where it has not as many
        places as there are pictures.
        """
        return self._many(
            partial(readings, options=options, timeout=timeout),
            pictures,
            batches(pictures, each, most=FIELDS),
            progress,
        )

    def models(self, *, timeout: float | None = None) -> list[ModelInfo]:
        """The models that are served."""
        return list(self._sent(calls.MODELS, timeout).models)

    def health(self, *, timeout: float | None = None) -> Health:
        """That the service is ready: asked once, and NotReady or ConnectionFailed is raised where it is not."""
        return self._sent(calls.READY, timeout)

    def close(self) -> None:
        """End what is under way, and close the connections."""
        self._background.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _sent(self, call: Call[Answer], timeout: float | None) -> Answer:
        return self._background.run(lambda exchange, _: exchange.send(call, timeout))

    def _many(
        self,
        asking: Callable[[Exchange], Ask[Result]],
        pictures: Iterable[Picture],
        made: Iterator[Batch],
        progress: Progress | None,
    ) -> list[Result | Lenet5Error]:
        """In the caller's own thread iterables are read and progress is told."""

        def start(exchange: Exchange, errands: Errands) -> Coroutine[Any, Any, list[Result | Lenet5Error]]:
            return in_order(
                asking(exchange),
                lambda: errands.result(lambda: next(made, None)),
                at_once=exchange.concurrency,
                progress=progress and (lambda *step: errands.leave(partial(progress, *step))),
                pictures=pictures,
            )

        return self._background.run(start)

"""Whether the process takes requests, and what is under way in it."""

import asyncio
from collections.abc import Callable

from app.errors import BackendFailed, Draining, ServiceError


class Lifecycle:
    """Serving, then draining (not ready, still serving), then refusing, then aborting what is left.

    A model whose forward pass failed is suspect until another one succeeds; if none does, the process has failed.
    """

    def __init__(self) -> None:
        self.suspects: set[str] = set()  # models, as NAME:VERSION; while there are any /health/ready says 503
        self.failure: BackendFailed | None = None  # why nothing more can be answered
        self.on_failure: Callable[[], None] = lambda: None
        self.draining = False  # /health/ready says 503
        self.refusing = False  # new requests get 503
        self.aborting = False  # what is still under way gets 503
        self.in_flight: set[asyncio.Task[None]] = set()

    @property
    def missing(self) -> list[str]:
        """What keeps the service from being ready."""
        suspects = [f"a forward pass of {model}" for model in sorted(self.suspects)]
        return [*suspects, "draining"] if self.draining else suspects

    def refusal(self) -> ServiceError:
        """What a request is told while nothing new is taken."""
        if self.failure is not None:
            return BackendFailed(self.failure.message)
        return Draining("The service is shutting down; send the request to another instance.")

    def fail(self, failure: BackendFailed) -> None:
        """Take nothing new, since it could not be answered; whoever runs the process is told to end it."""
        if self.failure is None:
            self.failure = failure
            self.refuse()
            self.on_failure()

    def drain(self) -> None:
        """Be seen as not ready, and serve on."""
        self.draining = True

    def refuse(self) -> None:
        """Take nothing new."""
        self.draining = self.refusing = True

    def abort(self) -> None:
        """Give up on what is under way; its callers are told so."""
        self.draining = self.refusing = self.aborting = True
        for task in self.in_flight:
            task.cancel()

"""Whether the process takes requests, and what is under way in it."""

import asyncio


class Lifecycle:
    """Serving, then draining (not ready, still serving), then refusing, then aborting what is left."""

    def __init__(self) -> None:
        self.draining = False  # /health/ready says 503
        self.refusing = False  # new requests get 503
        self.aborting = False  # what is still under way gets 503
        self.in_flight: set[asyncio.Task[None]] = set()

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

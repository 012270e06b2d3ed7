"""When the model folder is looked at anew while serving: on SIGHUP, and every so many seconds if asked to."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

from app.lenet.folder_watch import FolderWatch
from app.serving.model_set import ModelSet


class Reloading:
    """Reloads the models of one process, one time after the other."""

    def __init__(self, models: ModelSet, folder: Path, *, poll: float, reloaded: Callable[[], None]) -> None:
        """`poll` is in seconds, 0 for never; `reloaded` is called after each look at the folder's models."""
        self._models = models
        self._watch = FolderWatch(folder)
        self._poll = poll or None
        self._reloaded = reloaded
        self._signalled = asyncio.Event()

    def start(self) -> None:
        """Take SIGHUP over, one that came during the start included, on the running event loop."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._signalled.set)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        self._task = loop.create_task(self._run(), name="reload")

    def stop(self) -> None:
        """Change nothing more."""
        self._task.cancel()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._poll):
                    await self._signalled.wait()
            except TimeoutError:
                if not await asyncio.to_thread(self._watch.changed):
                    continue
            self._signalled.clear()
            await self._models.reload()
            self._reloaded()

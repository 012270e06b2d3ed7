"""The models that are served, and how they change while requests run.

A reload finds, verifies, opens and warms in a thread, so that nobody waits; then one turn of the event loop puts the
new models in place of the old. A request keeps the model that it began with: one that was replaced is closed when the
last request that holds it is answered.
"""

import asyncio
from collections.abc import Callable

import structlog

from app.errors import ServiceError
from app.lenet.registry import Load, Registry, ServedModel
from app.lenet.weights import Task
from app.serving.metrics import Metrics
from app.serving.models import DigitModel, FieldModel, Model

log = structlog.get_logger("lenet5.models")

Find = Callable[[Registry | None, Load], Registry]
"""What is to be served, given what is (nothing at first); calls `Load` with each version that is new."""
RELEASE_INTERVAL = 0.05
"""Seconds between looks whether a model that was replaced is still held."""


class ModelSet:
    """Every model that is served, by what a request may call it."""

    def __init__(self, find: Find, open_model: Callable[[ServedModel], Model], metrics: Metrics) -> None:
        """Raises what `find` and `open_model` raise, so that a failed start never reports ready."""
        self._find = find
        self._open_model = open_model
        self._metrics = metrics
        self._models: dict[str, Model] = {}  # by the digest of their manifests
        self._retiring: set[asyncio.Task[None]] = set()
        self._reloading = asyncio.Lock()
        self._digits: dict[str | None, DigitModel] = {}  # what was asked for so far
        self._fields: dict[str | None, FieldModel] = {}
        self.registry = Registry(())
        self._put(*self._opened(None))
        _say_left_out(self.registry, Registry(()))

    def start(self) -> None:
        """Begin to answer on the running event loop."""
        for model in self._models.values():
            model.batcher.start()

    async def close(self) -> None:
        """Answer what was taken, then free everything."""
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        await asyncio.gather(*(model.close() for model in self._models.values()))

    def digit(self, spec: str | None) -> DigitModel:
        """The model that `name`, `name:version` or None (the default) means; raises UnknownModel."""
        known = self._digits.get(spec)
        if known is not None:
            return known
        model = self._resolve(spec, "digit")
        assert isinstance(model, DigitModel)  # noqa: S101 - what open_model makes of its task
        self._digits[spec] = model
        return model

    def field(self, spec: str | None) -> FieldModel:
        """The model of fields that `name`, `name:version` or None (the default) means; raises UnknownModel."""
        known = self._fields.get(spec)
        if known is not None:
            return known
        model = self._resolve(spec, "field")
        assert isinstance(model, FieldModel)  # noqa: S101 - what open_model makes of its task
        self._fields[spec] = model
        return model

    async def reload(self) -> None:
        """Serve what the model folder holds now. What fails changes nothing, is logged and counted."""
        async with self._reloading:
            before = self.registry
            try:
                registry, opened = await asyncio.to_thread(self._opened, before)
            except Exception as error:
                self._metrics.reloads.labels("failed").inc()
                known = isinstance(error, ServiceError)
                why = error.message if isinstance(error, ServiceError) else repr(error)
                log.error("models not reloaded", error=why, exc_info=None if known else error)
                return
            for model in opened.values():
                model.batcher.start()
            for model in self._put(registry, opened):
                self._retire(model)
            refused = _say_left_out(registry, before)
            changed = registry.served != before.served
            self._metrics.reloads.labels("refused" if refused else "changed" if changed else "unchanged").inc()
            if changed:
                log.info("models changed", models=[model.spec for model in registry.served])

    def _resolve(self, spec: str | None, task: Task) -> Model:
        return self._models[self.registry.resolve(spec, task).manifest.digest]

    def _opened(self, before: Registry | None) -> tuple[Registry, dict[str, Model]]:
        """What is to be served, and those of its models that are new: open and warm. May run in a thread."""
        opened: dict[str, Model] = {}

        def load(served: ServedModel) -> None:
            opened[served.manifest.digest] = self._open_model(served)

        try:
            return self._find(before, load), opened
        except BaseException:
            for model in opened.values():
                model.free()
            raise

    def _put(self, registry: Registry, opened: dict[str, Model]) -> list[Model]:
        """Serve these from now on; returns the models that are not served any more."""
        known = {**self._models, **opened}
        models = {digest: known.pop(digest) for digest in (served.manifest.digest for served in registry.served)}
        self.registry, self._models = registry, models
        self._digits, self._fields = {}, {}
        self._metrics.serve(registry)
        return list(known.values())

    def _retire(self, model: Model) -> None:
        """Close a model once no request holds it."""

        async def retired() -> None:
            try:
                while model.held:  # noqa: ASYNC110 - an event would cost every request
                    await asyncio.sleep(RELEASE_INTERVAL)
            finally:
                await model.close()

        task = asyncio.get_running_loop().create_task(retired(), name=f"retire-{model.name}-{model.version}")
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)


def _say_left_out(registry: Registry, before: Registry) -> int:
    """One line in the log for each version that is not served, unless it was said before; returns their number."""
    told = {(one.path, one.error.message) for one in before.left_out}
    new = [one for one in registry.left_out if (one.path, one.error.message) not in told]
    for one in new:
        log.warning("model left out", folder=str(one.path), error=one.error.message)
    return len(new)

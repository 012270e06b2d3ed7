"""Fields through the engine, against a device that the test holds still, lets go, and makes fail."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.api.caller import deadline
from app.errors import (
    CountryNotSupported,
    DeadlineExceeded,
    Draining,
    ImageTooLarge,
    InferenceFailed,
    InvalidImage,
    QueueFull,
)
from app.fields.formats import field_format
from app.imaging import DecodeLimits
from app.lenet.registry import Load, Registry, ServedModel, default_model_dir
from app.serving.admission import Bounds
from app.serving.engine import FIELDS_AT_ONCE, Engine, FieldAnswer, FieldJob
from app.serving.lifecycle import Lifecycle
from app.serving.metrics import Metrics
from app.serving.model_set import ModelSet
from app.serving.models import FieldModel, Model

TEXT = "20468"
ROOM = Bounds(pictures=100, pixels=100_000_000, body_bytes=1000)
LIMITS = DecodeLimits(formats=frozenset({"PNG"}), max_pixels=16_000_000, max_side=10_000)


class Device:
    """A backend to whom every candidate is a whole 7; runs only while `go` is set."""

    name = "held"
    device = "cpu"
    inline = 0

    def __init__(self, max_batch_size: int) -> None:
        self.max_batch_size = max_batch_size
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Semaphore(0)
        self.sizes: list[int] = []  # of the batches
        self.fails: Callable[[int], bool] = lambda number: False  # whether the batch of this number does

    def infer(self, inputs: np.ndarray) -> np.ndarray:
        self.sizes.append(len(inputs))
        number = len(self.sizes)
        self.entered.release()
        assert self.go.wait(20)
        if self.fails(number):
            raise RuntimeError("the device is lost")
        logits = np.zeros((len(inputs), 11), np.float32)
        logits[:, 7] = 9
        return logits

    def warm_up(self) -> None: ...

    def close(self) -> None: ...

    async def until_busy(self) -> None:
        """Wait until one more batch has reached the device."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=20)


class Silent:
    def queued(self, depth: int) -> None: ...

    def inferred(self, size: int, seconds: float) -> None: ...


class Running:
    """An engine with one model, of fields, on a device of the test's."""

    def __init__(self, engine: Engine, device: Device) -> None:
        self.engine = engine
        self.device = device
        self.model = engine.field_model(None)

    async def read(self, job: FieldJob) -> FieldAnswer:
        with self.engine.admission.admit(self.model) as ticket:
            ticket.reserve(pictures=1)
            return await self.engine.read_field(job, ticket, self.model)

    async def read_many(self, jobs: list[FieldJob]) -> list:
        with self.engine.admission.admit(self.model) as ticket:
            ticket.reserve(pictures=len(jobs))
            return await self.engine.read_fields(jobs, ticket, self.model)

    def idle(self) -> bool:
        """Whether the door holds nothing and nobody waits for the device."""
        door = self.engine.admission
        return (door.pictures, door.pixels, door.body_bytes, self.model.batcher.depth) == (0, 0, 0, 0)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with lenet5-field alone; its weights are only opened for their manifest."""
    folder = tmp_path_factory.mktemp("models")
    (folder / "lenet5-field").symlink_to(default_model_dir() / "lenet5-field")
    return folder


@pytest.fixture
def running(models: Path) -> Callable:
    """`async with running(...)`: a running engine."""

    @asynccontextmanager
    async def start(*, bounds: Bounds = ROOM, max_batch_size: int = 512) -> AsyncGenerator[Running]:
        device = Device(max_batch_size)

        def open_model(served: ServedModel) -> Model:
            return FieldModel(served, device, Silent(), Lifecycle(), max_batch_size=max_batch_size, max_batch_delay=0)

        def find(_: Registry | None, load: Load) -> Registry:
            return Registry.open(models, {"field": "lenet5-field"}, load=load)

        engine = Engine(ModelSet(find, open_model, Metrics()), bounds=bounds, limits=LIMITS, decode_threads=4)
        engine.start()
        try:
            async with asyncio.timeout(60):
                yield Running(engine, device)
        finally:
            device.go.set()
            await engine.close()

    return start


def png(picture: np.ndarray) -> bytes:
    out = BytesIO()
    Image.fromarray(picture).save(out, "PNG")
    return out.getvalue()


def job(text: str = TEXT, make_format: Callable = field_format) -> FieldJob:
    """A field with these digits, drawn by OpenCV's own font."""
    picture = np.full((60, 40 * len(text) + 20), 255, np.uint8)
    cv2.putText(picture, " ".join(text), (10, 45), cv2.FONT_HERSHEY_SIMPLEX, 1, 0, 2, cv2.LINE_AA)
    return FieldJob(png(picture), make_format, n_best=1, debug=False)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what must happen."""
    for _ in range(4000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never happened")


async def leave(task: asyncio.Future) -> None:
    """What a caller does who goes away."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_all_candidates_of_a_field_go_to_the_device_at_once(running):
    """A field of some dozen candidates is one pass, and leaves nothing behind."""
    async with running() as it:
        answer = await it.read(job())
        assert it.device.sizes == [len(answer.proposal.inputs)]
        assert len(answer.reading.text) >= len(TEXT)
        assert it.idle()


async def test_a_caller_that_goes_away_costs_no_pass_and_harms_nobody(running):
    """Of three fields the one that is cancelled while it waits never reaches the device; the others are answered."""
    async with running() as it:
        count = len((await it.read(job())).proposal.inputs)
        await it.device.until_busy()
        it.device.go.clear()
        first = asyncio.create_task(it.read(job()))
        await it.device.until_busy()
        leaving, staying = asyncio.create_task(it.read(job())), asyncio.create_task(it.read(job()))
        await until(lambda: it.model.batcher.depth == 2 * count)
        await leave(leaving)
        it.device.go.set()
        assert (await first).reading.text == (await staying).reading.text
        assert it.device.sizes == [count] * 3
        assert it.idle()


async def test_a_bulk_that_goes_away_costs_no_pass(running):
    """The fields of a bulk request that is cancelled while they wait never reach the device."""
    async with running() as it:
        it.device.go.clear()
        first = asyncio.create_task(it.read(job()))
        await it.device.until_busy()
        leaving = asyncio.gather(it.read_many([job() for _ in range(5)]))
        await until(lambda: it.model.batcher.depth > 0)
        await leave(leaving)
        it.device.go.set()
        count = len((await first).proposal.inputs)
        await it.read(job())
        assert it.device.sizes == [count, count]
        assert it.idle()


@pytest.mark.parametrize("many", [False, True])
async def test_after_the_callers_deadline_nothing_is_done_for_them(running, many):
    """A deadline that passes while the device is busy ends the wait; what still queued is never shown to it."""
    async with running() as it:
        it.device.go.clear()
        first = asyncio.create_task(it.read(job()))
        await it.device.until_busy()
        with pytest.raises(DeadlineExceeded):
            async with deadline(0.05):
                await (it.read_many([job(), job()]) if many else it.read(job()))
        it.device.go.set()
        await first
        assert len(it.device.sizes) == 1
        assert it.idle()


async def test_pixels_that_do_not_fit_the_queue_are_refused_before_any_work(running):
    """A field, or a whole bulk, whose pixels the door cannot take beside others is QueueFull, and nothing is read."""
    made = []

    def make_format():
        made.append(1)
        return field_format()

    async with running(bounds=Bounds(pictures=10, pixels=30_000, body_bytes=1000)) as it:
        it.device.go.clear()
        first = asyncio.create_task(it.read(job()))  # 220 x 60 pixels
        await it.device.until_busy()
        with pytest.raises(QueueFull) as refused:
            await it.read(job(TEXT * 2, make_format))
        assert (refused.value.status, refused.value.headers) == (429, {"Retry-After": "1"})
        with pytest.raises(QueueFull):
            await it.read_many([job(make_format=make_format) for _ in range(2)])
        assert made == []
        it.device.go.set()
        await first
        assert it.idle()
        assert len(await it.read_many([job(make_format=make_format) for _ in range(2)])) == 2
        assert len(made) == 2


async def test_a_bulk_holds_the_candidates_of_few_fields_at_a_time(running):
    """However many fields a bulk has, no more than sixteen are under way, and all are answered in order."""
    made = []

    def make_format(number):
        made.append(number)
        return field_format()

    async with running() as it:
        it.device.go.clear()
        jobs = [job("1234567"[: 1 + n % 5], lambda n=n: make_format(n)) for n in range(2 * FIELDS_AT_ONCE + 3)]
        bulk = asyncio.create_task(it.read_many(jobs))
        await it.device.until_busy()
        await until(lambda: len(made) >= FIELDS_AT_ONCE)
        for _ in range(20):
            await asyncio.sleep(0.005)
        assert len(made) == FIELDS_AT_ONCE
        it.device.go.set()
        widths = [answer.proposal.width for answer in await bulk]
        assert widths == [40 * (1 + n % 5) + 20 for n in range(len(jobs))]


async def test_closing_answers_what_the_device_was_shown(running):
    """A field whose candidates were taken is read to its end when the engine closes; later ones are Draining."""
    async with running() as it:
        it.device.go.clear()
        first = asyncio.create_task(it.read(job()))
        await it.device.until_busy()
        closing = asyncio.create_task(it.model.batcher.close())
        await asyncio.sleep(0)
        for attempt in (it.read(job()), it.read_many([job(), job()])):
            with pytest.raises(Draining):
                await attempt
        it.device.go.set()
        assert (await first).reading.text
        await closing
        assert it.idle()


async def test_a_failing_pass_is_the_fields_own(running):
    """A field whose pass fails is InferenceFailed, and the next one is read as if nothing had been."""
    async with running() as it:
        it.device.fails = lambda number: number == 1
        with pytest.raises(InferenceFailed) as caught:
            await it.read(job())
        assert isinstance(caught.value.__cause__, RuntimeError)
        assert it.idle()
        assert (await it.read(job())).reading.text


async def test_a_field_fails_when_any_of_its_passes_does(running):
    """With candidates in several passes of which the last fails, there is no reading of the others alone."""
    async with running(max_batch_size=4) as it:
        whole = await it.read(job())
        passes = len(it.device.sizes)
        assert passes > 1
        it.device.fails = lambda number: number == 2 * passes
        with pytest.raises(InferenceFailed):
            await it.read(job())
        assert (await it.read(job())).reading.text == whole.reading.text
        assert it.idle()


async def test_what_is_wrong_with_one_field_of_a_bulk_spoils_only_its_place(running):
    """Bytes that are no picture, a side too long, a format that cannot be: each has its error, the others are read."""
    wrong = job(make_format=lambda: field_format("postal_code", country="GB"))
    long = FieldJob(png(np.full((2, LIMITS.max_side + 1), 255, np.uint8)), field_format, 1, False)
    jobs = [job(), FieldJob(b"no picture", field_format, 1, False), wrong, long, job()]
    async with running() as it:
        results = await it.read_many(jobs)
        assert [type(result) for result in results] == [
            FieldAnswer,
            InvalidImage,
            CountryNotSupported,
            ImageTooLarge,
            FieldAnswer,
        ]
        for each, error in ((jobs[1], InvalidImage), (wrong, CountryNotSupported), (long, ImageTooLarge)):
            with pytest.raises(error):
                await it.read(each)
        assert it.idle()


async def test_a_bulk_in_which_a_pass_fails_has_errors_in_those_places_alone(running):
    """The fields of the failing pass are InferenceFailed; those of the next are read."""
    async with running() as it:
        count = len((await it.read(job())).proposal.inputs)
    async with running(max_batch_size=count) as it:
        it.device.fails = lambda number: number == 2
        results = await it.read_many([job() for _ in range(4)])
        kinds = [type(result) for result in results]
        assert set(kinds) == {FieldAnswer, InferenceFailed}
        assert sum(it.device.sizes) == 4 * count + 1  # one tells that the device still computes
        assert (
            kinds.count(InferenceFailed) <= 2
        )  # a pass holds the candidates of one field, or the end and beginning of two


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), np.uint8)


def strokes(count: int, width: int) -> np.ndarray:
    """That many pen strokes of about a digit's height in a row."""
    chance = np.random.default_rng(0)
    picture = np.full((80, width), 255, np.uint8)
    for x in np.linspace(10, width - 10, count).astype(int).tolist():
        height = int(chance.integers(20, 45))
        top = int(chance.integers(10, 70 - height))
        cv2.line(picture, (x, top), (x + int(chance.integers(-3, 4)), top + height), 0, 2)
    return picture


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        pytest.param(noise(400, 10_000), "ambiguous_cut", id="noise as wide as may be"),
        pytest.param(noise(10_000, 40), "low_contrast", id="noise as high as may be"),
        pytest.param(strokes(700, 10_000), "ambiguous_cut", id="more strokes than a field has"),
        pytest.param(strokes(110, 1000), "ambiguous_cut", id="strokes that may be joined in many ways"),
    ],
)
async def test_a_hostile_picture_has_bounded_candidates_and_a_clear_reason(running, picture, reason):
    """A picture costs at most 400 candidates, whatever is in it; where there are more, that is told."""
    async with running() as it:
        answer = await it.read(FieldJob(png(picture), field_format, n_best=5, debug=False))
        assert sum(it.device.sizes) == len(answer.proposal.inputs) <= 400
        assert reason in answer.reading.reasons
        assert it.idle()

"""The batcher against a device that the test holds still, lets go, and makes fail."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import pytest

from app.errors import BackendFailed, Draining, InferenceFailed
from app.serving.batcher import Array, Batcher


class Device:
    """Answers each picture with its own value; runs only while `go` is set."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.go.set()
        self.entered = threading.Semaphore(0)
        self.batches: list[list[float]] = []
        self.failure: BackendFailed | None = None  # what is found after a failed batch
        self.spoil: Callable[[Array], Array] = lambda inputs: inputs

    def infer(self, inputs: Array) -> Array:
        self.batches.append(inputs[:, 0, 0, 0].tolist())
        self.entered.release()
        assert self.go.wait(10)
        return self.spoil(inputs[:, 0, 0, :1])

    async def examine(self, error: Exception) -> BackendFailed | None:
        return self.failure

    async def until_busy(self) -> None:
        """Wait until one more batch has reached the device."""
        assert await asyncio.to_thread(self.entered.acquire, timeout=10)


class Silent:
    def queued(self, depth: int) -> None: ...

    def inferred(self, size: int, seconds: float) -> None: ...


def picture(value: float) -> Array:
    return np.full((1, 32, 32), value, np.float32)


@asynccontextmanager
async def running(device: Device, **options: float) -> AsyncGenerator[Batcher]:
    with ThreadPoolExecutor(1) as executor:
        batcher = Batcher(
            device.infer, executor, device.examine, **{"max_batch_size": 8, "observer": Silent(), **options}
        )
        batcher.start()
        try:
            yield batcher
        finally:
            device.go.set()
            async with asyncio.timeout(10):
                await batcher.close()


async def values(*futures: asyncio.Future) -> list[float | str]:
    """What each future came to: its row's value, or the name of its exception."""
    async with asyncio.timeout(10):
        outcomes = await asyncio.gather(*futures, return_exceptions=True)
    return [type(o).__name__ if isinstance(o, BaseException) else float(o.row[0]) for o in outcomes]


async def test_cancelling_one_of_a_running_batch_leaves_the_others_answered():
    """Of four requests in one batch, the second goes away while the batch runs: the other three get their answers."""
    device = Device()
    async with running(device) as batcher:
        device.go.clear()
        futures = [batcher.submit(picture(value)) for value in range(4)]
        await device.until_busy()
        futures[1].cancel()
        device.go.set()
        assert await values(*futures) == [0, "CancelledError", 2, 3]
        assert await values(batcher.submit(picture(9))) == [9]
    assert device.batches == [[0, 1, 2, 3], [9]]


async def test_what_queues_while_the_device_is_busy_is_the_next_batch():
    """No delay is configured, and yet requests that come during a pass share the one after it."""
    device = Device()
    async with running(device) as batcher:
        device.go.clear()
        first = batcher.submit(picture(0))
        await device.until_busy()
        rest = []
        for value in range(1, 6):
            rest.append(batcher.submit(picture(value)))
            await asyncio.sleep(0)
        device.go.set()
        assert await values(first, *rest) == [0, 1, 2, 3, 4, 5]
    assert device.batches == [[0], [1, 2, 3, 4, 5]]


async def test_a_caller_that_left_the_queue_costs_no_work():
    """A request that is cancelled while it waits never reaches the device."""
    device = Device()
    async with running(device) as batcher:
        device.go.clear()
        first = batcher.submit(picture(0))
        await device.until_busy()
        waiting = [batcher.submit(picture(value)) for value in (1, 2, 3)]
        waiting[1].cancel()
        device.go.set()
        assert await values(first, *waiting) == [0, 1, "CancelledError", 3]
    assert device.batches == [[0], [1, 3]]


async def test_no_batch_is_larger_than_the_maximum():
    """Twenty requests at once are cut into passes of at most eight, in order."""
    device = Device()
    async with running(device) as batcher:
        assert await values(*(batcher.submit(picture(value)) for value in range(20))) == list(range(20))
    assert [len(batch) for batch in device.batches] == [8, 8, 4]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda rows: rows[:-1], id="one row short"),
        pytest.param(lambda rows: np.concatenate([rows, rows]), id="too many rows"),
        pytest.param(lambda rows: 1 / 0, id="raises"),
    ],
)
async def test_a_failing_batch_fails_only_its_own_members(spoil):
    """Every member of the batch gets InferenceFailed, and the next batch is answered as if nothing had been."""
    device = Device()
    async with running(device) as batcher:
        device.go.clear()
        failing = [batcher.submit(picture(value)) for value in range(3)]
        await device.until_busy()
        later = [batcher.submit(picture(value)) for value in range(3, 6)]
        device.spoil = lambda rows: spoil(rows) if len(device.batches) == 1 else rows
        device.go.set()
        assert await values(*failing) == ["InferenceFailed"] * 3
        assert await values(*later) == [3, 4, 5]


async def test_each_member_of_a_failed_batch_gets_an_exception_of_its_own():
    """An exception object shared by tasks would gather all their tracebacks."""
    device = Device()
    device.spoil = lambda rows: 1 / 0
    async with running(device) as batcher:
        failures = await asyncio.gather(*(batcher.submit(picture(v)) for v in range(3)), return_exceptions=True)
    assert len({id(failure) for failure in failures}) == 3
    assert all(isinstance(f, InferenceFailed) and isinstance(f.__cause__, ZeroDivisionError) for f in failures)


async def test_closing_answers_what_was_accepted_and_takes_nothing_more():
    """At shutdown the running batch and everything that waits are answered; a new request is refused."""
    device = Device()
    async with running(device, max_batch_size=2) as batcher:
        device.go.clear()
        futures = [batcher.submit(picture(value)) for value in range(7)]
        await device.until_busy()
        closing = asyncio.create_task(batcher.close())
        await asyncio.sleep(0)
        with pytest.raises(Draining):
            batcher.submit(picture(9))
        device.go.set()
        await closing
        assert await values(*futures) == list(range(7))


async def test_single_requests_are_not_starved_by_bulk_and_bulk_not_by_singles():
    """A single request goes before a bulk request that waits; while both wait, a quarter of a batch is the bulk's."""
    device = Device()
    async with running(device) as batcher:
        device.go.clear()
        first = batcher.submit(picture(0))
        await device.until_busy()
        bulk = batcher.submit_many([picture(100 + value) for value in range(10)])
        singles = [batcher.submit(picture(value)) for value in range(1, 10)]
        device.go.set()
        assert await values(first, *singles, *bulk) == [*range(10), *range(100, 110)]
    assert device.batches == [
        [0],
        [1, 2, 3, 4, 5, 6, 100, 101],
        [7, 8, 9, 102, 103],
        [104, 105, 106, 107, 108, 109],
    ]


async def test_blocks_are_run_whole_and_share_batches_with_single_pictures():
    """Each block is in one pass and gets its own rows; beside single pictures a quarter of the batch is theirs."""
    device = Device()
    async with running(device) as batcher:
        device.go.clear()
        first = batcher.submit(picture(0))
        await device.until_busy()
        starts = range(100, 110, 2)
        blocks = [batcher.submit_block(np.array([picture(s), picture(s + 1)]), bulk=True) for s in starts]
        blocks[1].cancel()
        assert batcher.depth == 10
        singles = [batcher.submit(picture(value)) for value in range(1, 8)]
        device.go.set()
        assert await values(first, *singles) == list(range(8))
        for start, block in zip(starts, blocks, strict=True):
            if not block.cancelled():
                assert (await block).rows[:, 0].tolist() == [start, start + 1]
        assert batcher.depth == 0
    assert batcher.max_block_size == 2
    assert device.batches == [[0], [1, 2, 3, 4, 5, 6, 100, 101], [7, 104, 105], [106, 107, 108, 109]]


async def test_a_burst_is_one_batch_though_it_comes_in_several_turns_of_the_loop():
    """While each turn of the event loop brings another request, the batch is left open."""
    device = Device()
    async with running(device) as batcher:
        futures = []
        for value in range(5):
            futures.append(batcher.submit(picture(value)))
            await asyncio.sleep(0)
        assert await values(*futures) == [0, 1, 2, 3, 4]
    assert len(device.batches) < len(futures)


async def test_a_delay_that_was_asked_for_gathers_requests_that_come_apart():
    """With max_batch_delay, requests that come apart share a pass, which starts once it is full."""
    device = Device()
    async with running(device, max_batch_size=3, max_batch_delay=60) as batcher:
        futures = []
        for value in range(3):
            futures.append(batcher.submit(picture(value)))
            for _ in range(20):
                await asyncio.sleep(0)
        assert await values(*futures) == [0, 1, 2]
    assert device.batches == [[0, 1, 2]]


async def test_bulk_waits_for_no_delay_and_ends_it():
    """With max_batch_delay, a block is run at once, and with it the single picture that waited for company."""
    device = Device()
    async with running(device, max_batch_delay=60) as batcher:
        async with asyncio.timeout(10):
            assert await values(*batcher.submit_many([picture(1)])) == [1]
            single = batcher.submit(picture(2))
            await asyncio.sleep(0.01)
            assert not single.done()
            block = batcher.submit_block(picture(3)[None], bulk=True)
            assert await values(single, block) == [2, 3]
    assert device.batches == [[1], [2, 3]]


async def test_closing_does_not_wait_for_a_delay():
    """What waits for company is answered at once when the batcher is closed."""
    device = Device()
    async with running(device, max_batch_delay=60) as batcher:
        future = batcher.submit(picture(5))
        await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            await batcher.close()
        assert await values(future) == [5]


@pytest.mark.parametrize("seed", range(20))
async def test_every_future_is_done_exactly_once_with_its_own_answer(seed):
    """Under a random schedule of arrivals, cancellations and failing passes, nothing hangs and nothing is mixed up."""
    chance = np.random.default_rng(seed)
    device = Device()
    failed: set[float] = set()

    def spoil(rows: Array) -> Array:
        if chance.random() < 0.2:
            failed.update(rows[:, 0].tolist())
            raise RuntimeError("spoilt")
        return rows

    device.spoil = spoil
    futures: dict[int, asyncio.Future] = {}
    cancelled = set()
    async with running(device, max_batch_size=4) as batcher:
        for value in range(200):
            if chance.random() < 0.1:
                several = range(1000 + value * 10, 1000 + value * 10 + 3)
                futures |= dict(zip(several, batcher.submit_many([picture(v) for v in several]), strict=True))
            futures[value] = batcher.submit(picture(value))
            if chance.random() < 0.2:
                victim = int(chance.choice(list(futures)))
                if futures[victim].cancel():
                    cancelled.add(victim)
            if chance.random() < 0.5:
                await asyncio.sleep(0)
        results = dict(zip(futures, await values(*futures.values()), strict=True))
    for value, result in results.items():
        if value in cancelled:
            assert result == "CancelledError"
        else:
            assert result == ("InferenceFailed" if value in failed else value)


async def test_small_batches_run_on_the_event_loop_and_larger_ones_in_the_thread():
    """With `inline=2` a batch of two runs where the loop does, and one of three in the executor's thread."""
    threads = []
    device = Device()
    device.spoil = lambda inputs: threads.append(threading.current_thread()) or inputs
    async with running(device, inline=2) as batcher:
        for size in (2, 3):
            assert await values(*map(batcher.submit, map(picture, range(size)))) == list(range(size))
    assert threads[0] is threading.main_thread()
    assert threads[1] is not threading.main_thread()


async def test_an_input_is_made_when_its_batch_is_taken():
    """While the device is busy nothing is made; a caller that left by then costs nothing."""
    made = []
    device = Device()
    device.go.clear()
    async with running(device) as batcher:
        first = batcher.submit(picture(7))
        await device.until_busy()
        later = [batcher.submit(lambda value=value: made.append(value) or picture(value)) for value in range(3)]
        await asyncio.sleep(0.01)
        assert made == []
        later[1].cancel()
        device.go.set()
        assert await values(first, *later) == [7, 0, "CancelledError", 2]
    assert made == [0, 2]


async def test_an_input_that_cannot_be_made_is_its_own_callers_loss():
    """Its future raises what making it raised; the others of the batch are answered, also where none is left."""

    def bad() -> Array:
        raise LookupError

    device = Device()
    async with running(device) as batcher:
        futures = [batcher.submit(picture(1)), batcher.submit(bad), batcher.submit(picture(2))]
        assert await values(*futures) == [1, "LookupError", 2]
        assert await values(batcher.submit(bad)) == ["LookupError"]
        assert await values(batcher.submit(picture(3))) == [3]
    assert device.batches == [[1, 2], [3]]


async def test_passes_on_the_event_loop_give_others_their_turn():
    """While three full batches run on the loop one after the other, another task goes on between them."""
    device, seen = Device(), []
    async with running(device, max_batch_size=2, inline=2) as batcher:
        futures = [batcher.submit(picture(value)) for value in range(6)]

        async def other() -> None:
            while len(device.batches) < 3:
                seen.append(len(device.batches))
                await asyncio.sleep(0)

        await asyncio.gather(other(), *futures)
    assert {1, 2} <= set(seen)

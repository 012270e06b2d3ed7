"""Fields read on all machines of a Ray cluster, by the engine as it is served in each of its processes.

What is to be read is cut into units. Ray Data hands them to processes, and a unit that was on a machine that died to
another one. A process writes what it has read as a part of the results, and only how much that was comes back. So
nothing grows here with the pictures but their names.
"""

import asyncio
import json
import logging
import os
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import ray
import ray.data

from app.cli import parquet
from app.cli.ends import ClusterError, FileError, Interrupted, say, text_of
from app.cli.here import FieldsHere, engine_of
from app.cli.inputs import Input, Inputs, files_of
from app.cli.many import Tally, kept
from app.cli.options import Where
from app.cli.results import Result
from app.cli.terminal import Bar
from app.cli.work import Pace, results, signals
from app.errors import InvalidParameter
from app.lenet.registry import FIELD_DEFAULT, Registry, default_model_dir
from app.serving.field_answer import format_of
from app.serving.field_options import FieldRequest

FILES: Final = 256
"""Files in a unit: some seconds of work. An archive is one of them, and a row group of Parquet a unit of its own."""
PART: Final = 4096
"""Most results in a part."""
PACE: Final = Pace(8, 3)
"""As `lenet5 read` has it."""
BLOCKS: Final = 1024
"""Most pieces in which Ray holds the units; what a machine has done of one is done again when it dies."""


@dataclass(frozen=True)
class Work:
    """What every process is told."""

    asked: FieldRequest
    allowed: str | None
    where: Where
    folder: str  # in which relative names have their meaning, on every machine
    output: str


class Unit(NamedTuple):
    """Some files, or a row group of Parquet."""

    files: Sequence[str]
    group: int | None
    pictures: int
    """As far as is known: an archive or a TIFF counts as one."""


class Pictures:
    """Those of a unit that have no result yet."""

    waits = False

    def __init__(self, unit: Unit, done: Collection[str]) -> None:
        self._unit = unit
        self._done = done

    def __iter__(self) -> Iterator[Input]:
        files, group, _ = self._unit
        if group is None:
            yield from Inputs(files, self._done)
        else:
            yield from (one for one in parquet.pictures(files[0], group) if one.name not in self._done)


class Reader:
    """One of the processes that read: Ray Data makes it once and calls it for every unit."""

    def __init__(self, work: Work, done: Any) -> None:
        """`done` are the names of pictures that have results, where Ray keeps them."""
        os.chdir(work.folder)
        self._work = work
        self._done: Collection[str] = ray.get(done)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="engine", daemon=True).start()
        self._open_models = AsyncExitStack()  # as long as the process
        self._answers = self._wait_for(self._opened())

    def __call__(self, units: dict[str, Any]) -> dict[str, Any]:
        """How many pictures of each unit were accepted, were not, and failed."""
        counts = [self._wait_for(self._read(Unit(*json.loads(unit)))) for unit in units["unit"]]
        return {key: np.array([count[key] for count in counts]) for key in ("accepted", "refused", "failed")}

    def _wait_for(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _opened(self) -> FieldsHere:
        asked, where = self._work.asked, self._work.where
        opened = engine_of("field", model=asked.model, model_dir=where.model_dir, device=where.device)
        engine = await self._open_models.enter_async_context(opened)
        return FieldsHere(engine, asked, format_of(asked, self._work.allowed), None)

    async def _read(self, unit: Unit) -> Counter[str]:
        count: Counter[str] = Counter()
        part: list[Result] = []
        async for piece in results(Pictures(unit, self._done), self._answers, PACE):
            part += piece
            if len(part) >= PART:
                count += self._kept(part)
                part = []
        return count + self._kept(part)

    def _kept(self, part: Sequence[Result]) -> Counter[str]:
        if part:
            parquet.write_part(Path(self._work.output), part)
        return Counter(
            "failed" if one.error is not None else "accepted" if one.answer["accepted"] else "refused" for one in part
        )


def read_everywhere(
    files: Sequence[str], output: Path, asked: FieldRequest, allowed: str | None, where: Where, *, resume: bool
) -> Tally:
    """Read what the arguments name into a folder of Parquet; what came of it.

    It runs on the cluster that RAY_ADDRESS names, else on the one that runs on this machine, else on one that is
    started for it. Raises InvalidParameter, FileError, UnknownModel, ClusterError, and Interrupted after a signal.
    """
    format_of(asked, allowed)
    Registry.open(where.model_dir or default_model_dir(), {}).resolve(asked.model or FIELD_DEFAULT, "field")
    done = _started(output, resume=resume)
    units = list(_units(files, done))
    tally = Tally()
    _connect()
    if not units:
        return tally
    work = Work(asked, allowed, where, str(Path.cwd()), str(output.absolute()))
    told = [{"unit": json.dumps(unit)} for unit in units]
    pieces = ray.data.from_items(told, override_num_blocks=min(len(units), BLOCKS))
    read = pieces.map_batches(
        Reader,
        fn_constructor_args=(work, ray.put(done)),
        batch_size=1,
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=_processors()),
        num_gpus=1 if where.device == "cuda" else None,
    )
    total = len(done) + sum(unit.pictures for unit in units)
    try:
        with Bar() as bar, signals(_interrupt):
            for count in read.iter_rows():
                tally.accepted += count["accepted"]
                tally.refused += count["refused"]
                tally.failed += count["failed"]
                bar.show(len(done) + tally.done, total)
    except Interrupted as interrupted:
        raise Interrupted(interrupted.code, kept(len(done) + tally.done, total, output)) from None
    except ray.exceptions.RayError as error:
        say(kept(len(done) + tally.done, total, output))
        raise ClusterError(f"The cluster has failed: {str(error).splitlines()[-1]}") from error
    return tally


def _started(output: Path, *, resume: bool) -> set[str]:
    """The folder for the results, made where it is not there; the names of the pictures that it has results of."""
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{output} cannot be a folder of results: {error.strerror}.", file=str(output)) from error
    if resume:
        return parquet.done_in(output)
    if any(output.glob(f"*{parquet.SUFFIX}")):
        raise InvalidParameter(f"{output} has results; --resume goes on with them.", parameter="output")
    return set()


def _units(files: Sequence[str], done: Collection[str]) -> Iterator[Unit]:
    """What is to be read; raises FileError."""
    rest: list[str] = []
    for file in (file for argument in files for file in files_of(argument, also={parquet.SUFFIX})):
        if file.endswith(parquet.SUFFIX):
            yield from (Unit([file], group, count) for group, count in enumerate(parquet.groups(file)))
        elif text_of(file) not in done:
            rest.append(file)
    yield from (Unit(some := rest[i : i + FILES], None, len(some)) for i in range(0, len(rest), FILES))


def _connect() -> None:
    """To the cluster, as quietly as may be: what there is to say stands in the rows."""
    if not ray.is_initialized():
        ray.init(log_to_driver=False, logging_level=logging.WARNING)
    logging.getLogger("ray.data").setLevel(logging.WARNING)
    ray.data.DataContext.get_current().enable_progress_bars = False


def _processors() -> int:
    return max(1, int(ray.cluster_resources().get("CPU", 1)))


def _interrupt(sig: int, _: object) -> None:
    raise Interrupted(128 + sig)

"""The pictures that are sent: digits of MNIST's test set as PNGs of 28 x 28, and the answers that are expected."""

from pathlib import Path

import httpx
import numpy as np

from benchmarks.forms import plain
from benchmarks.speed.contestants import OURS, Contestant
from training.datasets import load

SENT = 640  # different pictures, in turn
CHECKED = 100
FEW = 3  # of the checked may be read otherwise by a rival, which has no normalisation


class WrongAnswers(Exception):
    """A rival reads other digits: it does not do the same job."""


def pngs(count: int = SENT) -> list[bytes]:
    """The first digits of the test set."""
    rng = np.random.default_rng(0)
    return [plain(picture, rng) for picture in load("mnist-test").pictures[:count]]


def answers(contestant: Contestant, url: str, pictures: list[bytes]) -> list[int]:
    """What a running contestant reads, one picture after the other."""
    with httpx.Client(base_url=url, timeout=60) as client:
        return [contestant.ask(client, picture) for picture in pictures]


def expected(folder: Path) -> list[int]:
    """What this service reads in the checked pictures."""
    with OURS.started(folder) as server:
        return answers(OURS, server.url, pngs(CHECKED))


def check(contestant: Contestant, url: str, ours: list[int]) -> int:
    """How many of the checked pictures it reads otherwise than `ours`. Raises WrongAnswers for more than a few."""
    theirs = answers(contestant, url, pngs(CHECKED))
    others = sum(one != other for one, other in zip(theirs, ours, strict=True))
    if others > FEW and not contestant.constant:
        raise WrongAnswers(f"{others} of {CHECKED} digits are read otherwise")
    return others

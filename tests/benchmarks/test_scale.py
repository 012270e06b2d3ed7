"""benchmarks.scale: the simulated queue against what is known of queues, and the arithmetic of the plan."""

import json

import numpy as np
import pytest

from benchmarks.scale import page, plan, queue
from benchmarks.scale.plan import Form, needed


def test_who_comes_alone_waits_for_their_own_answer() -> None:
    """An idle queue costs nothing; a curve has straight lines between what was measured."""
    service = queue.curve({1: 0.002, 3: 0.004})
    assert queue.latencies(np.array([0.0, 1.0, 2.0]), service, 3) == pytest.approx([0.002] * 3)
    assert service(2) == pytest.approx(0.003)
    assert service(6) == pytest.approx(0.008)


def test_who_waits_shares_the_next_batch() -> None:
    """Two come while one is answered, one comes after them: they are batches of 1, 2 and 1."""
    service = queue.curve({1: 1.0, 4: 4.0})
    assert queue.latencies(np.array([0.0, 0.5, 1.0, 1.5]), service, 4) == pytest.approx([1, 2.5, 2, 2.5])
    assert queue.latencies(np.array([0.0, 0.5, 0.6, 0.7]), service, 2) == pytest.approx([1, 2.5, 2.4, 3.3])


@pytest.mark.parametrize("load", [0.3, 0.6, 0.8])
def test_without_batches_it_is_m_d_1(load: float) -> None:
    """The mean wait is Pollaczek and Khinchine's: S + S load / (2 (1 - load))."""
    waited = queue.latencies(queue.poisson(load, 200_000, seed=1), lambda _: 1.0, 1)
    assert waited.mean() == pytest.approx(1 + load / (2 * (1 - load)), rel=0.05)


def test_batches_that_cost_no_more_hold_any_load() -> None:
    """At a constant time for any batch nobody waits longer than two of them, whatever the load."""
    waited = queue.latencies(queue.poisson(50.0, 20_000, seed=1), lambda _: 1.0, 10_000)
    assert 1 <= waited.min() <= waited.max() <= 2


def test_what_a_rate_needs() -> None:
    """By hand: 100 processes and 10 to spare on 28 cores a machine; a packet each way, 90 bytes around it."""
    need = needed(Form("", 1, rate=1000, sent=410, answered=910), 100_000)
    assert (need.processes, need.machines, need.memory) == (110, 4, pytest.approx(110 * plan.MEMORY))
    assert (need.gbit_in, need.gbit_out) == (pytest.approx(0.4), pytest.approx(0.8))
    assert need.packets == 200_000
    many = needed(Form("", 100, rate=10_000, sent=28.96, answered=1), 10_000)
    assert (many.processes, many.machines) == (2, 2)
    assert many.packets == 100 * (2 + 1)


def test_the_page_is_that_of_what_was_kept() -> None:
    """--draw changes nothing: the figures of docs/scale.md are those beside it, and so is what was simulated."""
    text = page.PAGE.read_text()
    assert page.filled_with(json.loads(page.RESULT.read_text()), text) == text

"""The promises about models, on small amounts: each is kept, and its control does not keep it."""

from benchmarks.reliability.promise import Ask
from benchmarks.reliability.promises import corrupt_weights, model_swaps, poisoned_backend


def test_corrupt_weights_never_serve() -> None:
    """Flipped bits, files cut short and the manifests of other models are all refused; a trusting loader takes some."""
    promise = corrupt_weights.PROMISE
    assert promise.broken(promise.keep(Ask(300))) == []
    assert promise.broken(promise.control(Ask(100)))


def test_models_swap_under_load() -> None:
    """No request is lost and no answer is of another model than it names, with one worker and with two."""
    promise = model_swaps.PROMISE
    for start in (0, promise.portion):
        assert promise.broken(promise.keep(Ask(300, start))) == []


def test_a_poisoned_backend_is_admitted() -> None:
    """One process that ends and one of two workers that is replaced: nobody gets a wrong answer, or none.

    When that is seen, and how soon it ends, are times: the promise measures them.
    """
    trial = poisoned_backend.PROMISE.keep(Ask(2))
    assert (trial.failures, trial.notes) == (0, ())
    assert trial.figures["not ready"] < poisoned_backend.PATIENCE
    assert trial.figures["ended"] < poisoned_backend.PATIENCE

"""The losses, against their formulas and each other."""

import math

import pytest
import torch
from torch.nn import functional as F  # noqa: N812  (its customary name)

from training.batches import Batch
from training.config import Distillation, Recipe
from training.criterion import distillation, loss_of, maximum_a_posteriori

GENERATOR = torch.Generator().manual_seed(3)
LOGITS = torch.randn(40, 10, generator=GENERATOR) * 4 - 10  # minus penalties
LABELS = torch.randint(0, 10, (40,), generator=GENERATOR)


def test_the_map_criterion_is_equation_9() -> None:
    """Penalty by penalty, as the paper writes it."""
    j = 6.0
    expected = 0.0
    for logits, label in zip(LOGITS.double(), LABELS, strict=True):
        penalties = [-float(z) for z in logits]
        expected += penalties[label] + math.log(math.exp(-j) + sum(math.exp(-y) for y in penalties))
    assert maximum_a_posteriori(LOGITS, LABELS, j).item() == pytest.approx(expected / len(LABELS), rel=1e-5)


def test_without_rubbish_it_is_the_cross_entropy() -> None:
    """As j grows the rubbish class loses its say; as it falls the loss grows."""
    plain = F.cross_entropy(LOGITS, LABELS)
    assert maximum_a_posteriori(LOGITS, LABELS, 100).item() == pytest.approx(plain.item(), rel=1e-6)
    assert maximum_a_posteriori(LOGITS, LABELS, 3) > maximum_a_posteriori(LOGITS, LABELS, 6) > plain


def test_distillation_is_least_at_the_teachers_answers() -> None:
    """Its gradient vanishes where the logits are the teacher's, up to a constant, and nowhere near."""
    logits = (LOGITS + 5).requires_grad_()
    distillation(logits, LOGITS, 3.0).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert float(logits.grad.abs().max()) < 1e-6
    other = (LOGITS * 0.8).requires_grad_()
    distillation(other, LOGITS, 3.0).backward()  # type: ignore[no-untyped-call]
    assert other.grad is not None
    assert float(other.grad.abs().max()) > 1e-4


def test_labels_and_teachers_share_the_loss_by_weight() -> None:
    """Weight 0 is the labels' loss alone, 1 the teachers', and a half the mean; without a teacher the labels' alone."""
    taught = LOGITS.flip(0)
    batch = Batch(torch.empty(0), LABELS, taught)
    hard, soft = F.cross_entropy(LOGITS, LABELS).item(), distillation(LOGITS, taught, 2.0).item()
    for weight in (0.0, 0.5, 1.0):
        loss = loss_of(LOGITS, batch, Recipe(), Distillation(weight=weight, temperature=2.0)).item()
        assert loss == pytest.approx((1 - weight) * hard + weight * soft, rel=1e-5)
    assert loss_of(LOGITS, Batch(torch.empty(0), LABELS, None), Recipe(), Distillation(weight=1.0)).item() == hard

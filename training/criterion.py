"""What a network is to make small."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its customary name)

from training.batches import Batch
from training.config import Distillation, Recipe


def loss_of(logits: Tensor, batch: Batch, recipe: Recipe, taught_by: Distillation) -> Tensor:
    """The mean loss of a batch in nats, from the network's logits (n, classes)."""
    hard = (
        F.cross_entropy(logits, batch.labels)
        if recipe.criterion == "cross_entropy"
        else maximum_a_posteriori(logits, batch.labels, recipe.rubbish_penalty)
    )
    if batch.taught is None:
        return hard
    soft = distillation(logits, batch.taught, taught_by.temperature)
    return (1 - taught_by.weight) * hard + taught_by.weight * soft


def maximum_a_posteriori(logits: Tensor, labels: Tensor, rubbish_penalty: float) -> Tensor:
    """Eq. 9 of the paper: the penalty of the right class, and of every other one the competition.

        E = mean( y_D + log( exp(-j) + sum_i exp(-y_i) ) )

    with the penalties y = -logits and j = `rubbish_penalty`: the cross-entropy with one more class, "rubbish", whose
    penalty is always j. It stops pushing up the wrong classes' penalties once they are above j.
    """
    rubbish = logits.new_full((len(logits), 1), -rubbish_penalty)
    return F.cross_entropy(torch.cat((logits, rubbish), 1), labels)


def distillation(logits: Tensor, taught: Tensor, temperature: float) -> Tensor:
    """The cross-entropy with the teachers' answers, both softened; times T squared, which keeps the gradients' size."""
    answers = F.softmax(taught / temperature, 1)
    return F.cross_entropy(logits / temperature, answers) * temperature**2

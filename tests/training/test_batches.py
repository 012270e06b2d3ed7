"""What the network is shown: as it lies, anew each time, or from copies."""

import torch

from training.augment import Augment, Distortions
from training.batches import Batches, Copies
from training.inputs import Examples
from training.teacher import Teacher, Teachers

GENERATOR = torch.Generator().manual_seed(5)
EXAMPLES = Examples(
    (torch.rand(30, 1, 32, 32, generator=GENERATOR) * 255).round() / 255,
    torch.randint(0, 11, (30,), generator=GENERATOR),
)
INDEX = torch.tensor([7, 3, 29])


def augment() -> Augment:
    return Augment(Distortions(rotation=20), torch.Generator().manual_seed(1))


def teachers() -> Teachers:
    torch.manual_seed(0)
    return Teachers([Teacher(11).eval(), Teacher(11).eval()])


def test_examples_as_they_lie() -> None:
    """Without anything else a batch is the examples at its places."""
    batch = Batches(EXAMPLES).take(4, INDEX)
    assert torch.equal(batch.inputs, EXAMPLES.inputs[INDEX])
    assert torch.equal(batch.labels, EXAMPLES.labels[INDEX])
    assert batch.taught is None


def test_distorted_anew() -> None:
    """The same places twice are other pictures, and the teachers see what the network sees."""
    both = teachers()
    batches = Batches(EXAMPLES, augment(), both)
    one, two = batches.take(0, INDEX), batches.take(0, INDEX)
    assert not torch.equal(one.inputs, two.inputs)
    assert one.taught is not None
    torch.testing.assert_close(one.taught, both(one.inputs))


def test_copies_come_in_turn() -> None:
    """Each epoch has its own copy, after the last comes the first, and the answers are those to that copy."""
    both = teachers()
    copies = Copies(EXAMPLES, augment(), both, 2)
    first, second, third = (copies.take(epoch, INDEX) for epoch in range(3))
    assert not torch.equal(first.inputs, second.inputs)
    assert torch.equal(first.inputs, third.inputs)
    assert torch.equal(first.labels, EXAMPLES.labels[INDEX])
    assert first.taught is not None
    torch.testing.assert_close(first.taught, both(first.inputs), atol=2e-2, rtol=1e-2)


def test_copies_without_distortions_are_exact() -> None:
    """MNIST's pixels are whole 255ths, and stay what they are."""
    assert torch.equal(Copies(EXAMPLES, None, None, 1).take(0, INDEX).inputs, EXAMPLES.inputs[INDEX])


def test_teachers_answer_with_their_mean() -> None:
    """The logits of several are averaged, and nothing is learnt."""
    both = teachers()
    each = [network(EXAMPLES.inputs) for network in both.networks]
    answers = both(EXAMPLES.inputs)
    torch.testing.assert_close(answers, (each[0] + each[1]).detach() / 2)
    assert not answers.requires_grad

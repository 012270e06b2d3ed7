"""The network learns from whole fields, through the graph of their candidates."""

from dataclasses import replace

import field_material
import numpy as np
import pytest
import torch

from app.fields.calibration import FEATURES, FieldCalibration
from app.fields.scores import scored as served
from app.fields.scores import with_network
from app.fields.symbols import SYMBOLS
from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5, initialise
from training.config import Recipe
from training.fields import examples, graph, weigh
from training.fields.examples import CutField
from training.trainer import Trainer


@pytest.fixture
def fields(monkeypatch: pytest.MonkeyPatch) -> tuple[CutField, ...]:
    """A few that are made of committed digits and glyphs."""
    monkeypatch.setattr(examples, "writers", lambda _, *, held_out: field_material.writers(0))
    monkeypatch.setattr(examples, "marks", lambda _, *, held_out: field_material.marks())
    return examples.of_fields.__wrapped__(None, 12, held_out=False)


@pytest.fixture
def network() -> LeNet5:
    """One that has learnt nothing."""
    torch.manual_seed(0)
    model = LeNet5.from_architecture(Architecture(num_classes=11, activation="relu").with_paper_input())
    initialise(model, "fan_in")
    return model


@pytest.fixture
def weights() -> FieldCalibration:
    """Of no plain values."""
    away = np.random.default_rng(1).normal(0, 0.3, (len(SYMBOLS), len(FEATURES)))
    rows = (FieldCalibration().matrix + away).tolist()
    return replace(FieldCalibration(), weights=tuple(tuple(row) for row in rows))


def test_candidates_weigh_what_they_weigh_when_served(fields, weights):
    """The form that is differentiated is the one that the service has."""
    for one in fields:
        log_probs = np.log(np.random.default_rng(2).dirichlet(np.ones(11) / 3, len(one.labels)).clip(1e-9))
        wanted = served(*with_network(one.seen, log_probs), weights.matrix)
        found = graph.scored(torch.from_numpy(one.seen), torch.from_numpy(log_probs), torch.from_numpy(weights.matrix))
        assert np.allclose(found.numpy(), wanted, atol=1e-9)


def test_the_loss_is_the_mean_of_the_strings_and_its_gradient_leads_down(fields, network, weights, monkeypatch):
    """An epoch shows every field once; a small step against the gradient makes the loss smaller by what it says."""
    monkeypatch.setattr(weigh, "learn", lambda *_: weights)
    loss = graph.graph_loss(network, fields, 2.0, 0)
    readable = [one for one in fields if one.readings]
    assert len(loss.strings) == len(readable) > 8
    with torch.no_grad():
        each = [
            weigh.excess_of(
                one.readings,
                graph.scored(
                    torch.from_numpy(one.seen).float(),
                    torch.log_softmax(network(torch.from_numpy(one.inputs).float() / examples.FULL), 1),
                    loss.weights,
                )
                .double()
                .numpy(),
            )[0]
            for one in readable
        ]
    whole = loss(network, 0, 0, 1)
    assert whole.item() == pytest.approx(2 * np.mean(each), rel=1e-4)
    parts = [loss(network, 0, step, len(readable)) for step in range(len(readable))]
    assert sorted(part.item() for part in parts) == pytest.approx(sorted(2 * np.array(each)), rel=1e-3)

    whole.backward()
    slope = sum(float(p.grad.square().sum()) for p in network.parameters())
    step = 1e-3 / slope**0.5
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.sub_(step * parameter.grad / slope**0.5)
    assert loss(network, 0, 0, 1).item() - whole.item() == pytest.approx(-step * slope**0.5, rel=0.1)


def test_more_steps_than_fields(fields, network, weights, monkeypatch):
    """A step without a field adds nothing."""
    monkeypatch.setattr(weigh, "learn", lambda *_: weights)
    loss = graph.graph_loss(network, fields[:1], 1.0, 0)
    assert [loss(network, 0, step, 3).item() > 0 for step in range(3)].count(True) == 1


def test_a_trainer_adds_it_to_its_own(fields, network, weights, monkeypatch):
    """What an epoch comes to with it is more than without."""
    monkeypatch.setattr(weigh, "learn", lambda *_: weights)
    singles = examples.candidates(fields).examples(torch.device("cpu"))
    recipe = Recipe(epochs=1, batch_size=32, refit=False)
    start = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    plain = Trainer(network, singles, recipe, 0).run_epoch().loss
    network.load_state_dict(start)
    both = Trainer(network, singles, recipe, 0, graph=graph.graph_loss(network, fields, 1.0, 0)).run_epoch().loss
    assert both > plain + 1

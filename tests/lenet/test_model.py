"""app.lenet.model: LeNet-5, layer by layer, against the paper."""

from typing import Any

import pytest
import torch

from app.lenet.architecture import TABLE_I, Architecture
from app.lenet.bitmaps import bitmaps
from app.lenet.model import (
    EuclideanRBF,
    InitialWeights,
    LeNet5,
    Squash,
    Subsampling,
    TableConvolution,
    initialise,
)

FULL_LINEAR: dict[str, Any] = {"c3": "full", "output": "linear"}
PAPER: dict[str, Any] = {"c3": "table1", "output": "rbf", "squash_subsampling": True}


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("arguments", "counts", "total"),
    [
        (FULL_LINEAR, {"c1": 156, "s2": 12, "c3": 2416, "s4": 32, "c5": 48120, "f6": 10164, "output": 850}, 61750),
        (PAPER, {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "output": 0}, 60000),
    ],
)
def test_counts_of_trainable_parameters(arguments: dict[str, Any], counts: dict[str, int], total: int) -> None:
    """Every layer has the number of trainable parameters that the paper states, and so has the whole."""
    model = LeNet5(**arguments)
    trainable = {name: sum(p.numel() for p in getattr(model, name).parameters() if p.requires_grad) for name in counts}
    assert trainable == counts
    assert sum(p.numel() for p in model.parameters()) == total


def test_takes_28x28_and_any_number_of_classes() -> None:
    """Fifty pictures of 28x28 and two classes give (50, 2)."""
    assert LeNet5(num_classes=2, c3="full", output="rbf")(torch.zeros(50, 1, 28, 28)).shape == (50, 2)
    assert LeNet5(num_classes=37)(torch.zeros(3, 1, 32, 32)).shape == (3, 37)


def test_28x28_is_padded_with_background() -> None:
    """A 28x28 picture is answered as the same picture with two pixels of background (ink 0) around it."""
    model = LeNet5.from_architecture(Architecture().with_standardised_input(0.13, 0.31))
    picture = torch.rand(2, 1, 28, 28)
    padded = torch.zeros(2, 1, 32, 32)
    padded[:, :, 2:30, 2:30] = picture
    assert torch.equal(model(picture), model(padded))


@pytest.mark.parametrize("shape", [(1, 32, 32), (1, 3, 32, 32), (1, 1, 30, 30), (1, 1, 32, 28)])
def test_refuses_other_shapes(shape: tuple[int, ...]) -> None:
    """A batch of another shape is a ValueError that states it."""
    with pytest.raises(ValueError, match="takes"):
        LeNet5()(torch.zeros(shape))


def test_fixed_input_operation_is_its_own() -> None:
    """A model with an input operation answers the shared form as one without it answers the operation's result."""
    plain, own = LeNet5(), LeNet5(input_scale=1.275, input_offset=-0.1)
    own.load_state_dict(plain.state_dict())
    ink = torch.rand(4, 1, 32, 32)
    torch.testing.assert_close(own(ink), plain(ink * 1.275 - 0.1))


def test_table_i_is_the_papers() -> None:
    """Six C3 maps see three S2 maps, nine see four, one sees all; every S2 map is seen by ten; no two are alike."""
    assert [len(set(maps)) for maps in TABLE_I] == [3] * 6 + [4] * 9 + [6]
    assert [sum(s2_map in maps for maps in TABLE_I) for s2_map in range(6)] == [10] * 6
    assert len({frozenset(maps) for maps in TABLE_I}) == 16
    assert [set(maps) for maps in TABLE_I[12:15]] == [{0, 1, 3, 4}, {1, 2, 4, 5}, {0, 2, 3, 5}]


def test_c3_by_table_i_sees_only_its_maps() -> None:
    """A C3 map changes with an S2 map if and only if Table I connects them."""
    c3 = TableConvolution()
    torch.nn.init.normal_(c3.weight)
    torch.nn.init.zeros_(c3.bias)
    for s2_map in range(6):
        x = torch.zeros(1, 6, 5, 5)
        x[:, s2_map] = torch.rand(5, 5)
        assert [bool(value != 0) for value in c3(x).flatten()] == [s2_map in maps for maps in TABLE_I]


@pytest.mark.parametrize(
    ("arguments", "reference"),
    [
        ({}, lambda x: 1.7159 * torch.tanh(2 / 3 * x)),
        ({"amplitude": 2.0, "slope": 0.5}, lambda x: 2 * torch.tanh(x / 2)),
        ({"activation": "tanh"}, torch.tanh),
        ({"activation": "sigmoid"}, lambda x: 1 / (1 + torch.exp(-x))),
        ({"activation": "relu"}, lambda x: torch.where(x > 0, x, 0)),
    ],
)
def test_activation_is_its_formula(arguments: dict[str, Any], reference: Any) -> None:
    """The activation is A tanh(Sx), tanh(x), 1 / (1 + exp(-x)) or max(0, x), to a few units in float32's last place."""
    x = torch.linspace(-12, 12, 1001)
    torch.testing.assert_close(Squash(Architecture(**arguments))(x), reference(x), atol=1e-6, rtol=0)


def test_scaled_tanh_keeps_plus_and_minus_one() -> None:
    """With the paper's A and S, f(1) = 1 and f(-1) = -1."""
    one = torch.tensor([1.0, -1.0])
    torch.testing.assert_close(Squash(Architecture())(one), one, atol=1e-5, rtol=0)


@pytest.mark.parametrize("arguments", [{}, {"pool_kernel": 3, "pool_stride": 2}, {"pool_kernel": 2, "pool_stride": 1}])
def test_subsampling_is_mean_times_coefficient_plus_bias(arguments: dict[str, Any]) -> None:
    """Each pixel of an S map is the mean of its window, times the map's coefficient, plus the map's bias."""
    arch = Architecture(**arguments)
    layer = Subsampling(2, arch)
    assert layer.coefficient.flatten().tolist() == [1, 1]
    assert layer.bias.flatten().tolist() == [0, 0]
    with torch.no_grad():
        layer.coefficient.copy_(torch.tensor([2.0, -3.0]).view(2, 1, 1))
        layer.bias.copy_(torch.tensor([0.5, 7.0]).view(2, 1, 1))
    x = torch.rand(1, 2, 9, 9)
    found = layer(x)
    k, s = arch.pool_kernel, arch.pool_stride
    window = x[0, 1, s : s + k, 2 * s : 2 * s + k]
    torch.testing.assert_close(found[0, 1, 1, 2], -3 * window.mean() + 7)
    assert found.shape[-1] == (9 - k) // s + 1


def test_coefficient_of_four_is_the_papers_sum() -> None:
    """The paper adds the four inputs: the same as their mean with a coefficient that is 4 at first."""
    x = torch.rand(1, 6, 4, 4)
    layer = Subsampling(6, Architecture(subsampling_coefficient=4))
    torch.testing.assert_close(layer(x), x.unfold(2, 2, 2).unfold(3, 2, 2).sum(dim=(4, 5)))


@pytest.mark.parametrize(("subsampling", "reduce"), [("mean", torch.mean), ("max", torch.amax)])
def test_plain_subsampling_trains_nothing(subsampling: Any, reduce: Any) -> None:
    """S2 and S4 as a plain mean or maximum have no parameters, and are the mean or maximum of each window."""
    layer = Subsampling(6, Architecture(subsampling=subsampling))
    x = torch.randn(1, 6, 4, 4)
    assert list(layer.parameters()) == []
    torch.testing.assert_close(layer(x), reduce(x.unfold(2, 2, 2).unfold(3, 2, 2), dim=(4, 5)))


@pytest.mark.parametrize("squash", [False, True])
def test_is_the_papers_chain_of_layers(squash: bool) -> None:
    """The logits are those of the seven layers one after the other, with the activation where it belongs."""
    model = LeNet5(squash_subsampling=squash, input_scale=2.0, input_offset=-0.5)
    act = lambda x: 1.7159 * torch.tanh(2 / 3 * x)  # noqa: E731
    after_s = act if squash else torch.nn.Identity()
    x = torch.rand(3, 1, 32, 32)
    s2 = after_s(model.s2(act(model.c1(2 * x - 0.5))))
    s4 = after_s(model.s4(act(model.c3(s2))))
    f6 = act(model.f6(act(model.c5(s4)).view(3, 120)))
    torch.testing.assert_close(model(x), model.output(f6))


def test_rbf_logits_are_negated_penalties() -> None:
    """The logit of class i is -y_i = -sum_j (x_j - w_ij)^2 (eq. 7), so that F6 = a bitmap gives its class 0."""
    output, codes = EuclideanRBF(10), torch.from_numpy(bitmaps())
    x = torch.randn(3, 84)
    brute = [[-sum((float(a) - float(b)) ** 2 for a, b in zip(row, code, strict=True)) for code in codes] for row in x]
    torch.testing.assert_close(output(x), torch.tensor(brute))
    assert torch.equal(output(codes).argmax(dim=1), torch.arange(10))
    assert output(codes).diagonal().tolist() == [0] * 10


def test_rbf_of_two_classes_uses_the_first_two_bitmaps() -> None:
    """With fewer classes than ten the bitmaps are those of the first digits."""
    model = LeNet5(num_classes=2, output="rbf")
    assert torch.equal(model.output.bitmaps, torch.from_numpy(bitmaps()[:2]))


@pytest.mark.parametrize(
    ("how", "activation", "bound_of"),
    [
        ("fan_in", "scaled_tanh", lambda fan_in: (3 / fan_in) ** 0.5),
        ("fan_in", "relu", lambda fan_in: (6 / fan_in) ** 0.5),
        ("paper", "scaled_tanh", lambda fan_in: 2.4 / fan_in),
        ("paper", "relu", lambda fan_in: 2.4 / fan_in),
    ],
)
def test_initial_weights_are_uniform_within_their_bound(how: InitialWeights, activation: Any, bound_of: Any) -> None:
    """Weights are uniform within the bound that their unit's fan-in gives; biases are 0."""
    model = LeNet5(c3="table1", activation=activation)
    model.f6.bias.data.fill_(1)
    initialise(model, how)
    kernels = model.c3.weight.detach()
    weights = {25: model.c1.weight, 400: model.c5.weight, 120: model.f6.weight, 84: model.output.weight}
    weights |= {75: kernels[:18], 100: kernels[18:54], 150: kernels[54:]}
    for fan_in, weight in weights.items():
        bound = bound_of(fan_in)
        assert 0.95 * bound < float(weight.detach().abs().max()) <= bound * (1 + 1e-6)
        assert float(weight.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.1)
    assert not any(getattr(model, name).bias.any() for name in ("c1", "c3", "c5", "f6", "output"))


def test_a_new_network_has_its_seeds_weights() -> None:
    """A network is made with "fan_in" weights, the same ones from the same seed."""
    made = []
    for _ in range(2):
        torch.manual_seed(7)
        made.append(LeNet5().state_dict())
    assert all(torch.equal(made[0][name], made[1][name]) for name in made[0])
    assert float(made[0]["c5.weight"].abs().max()) > 2.4 / 400


def test_initialising_leaves_the_subsampling() -> None:
    """Neither way of drawing touches the coefficients of S2 and S4, which the architecture sets."""
    model = LeNet5(subsampling_coefficient=4)
    initialise(model, "paper")
    assert model.s2.coefficient.flatten().tolist() == [4] * 6

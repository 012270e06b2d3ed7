"""Features that the network learnt: C1's kernels, and the maps of one digit on its way through the layers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from matplotlib.axes import Axes
from matplotlib.gridspec import GridSpec
from torch import Tensor

from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5, Squash
from benchmarks.before_lenet.sheet import ACCENT, GRAY, GREEN, INK, PALE, SMALL, WIDTH, plain, png, sheet, show

Maps = npt.NDArray[np.float32]
Input = npt.NDArray[np.float32]  # (32, 32)


@dataclass(frozen=True)
class Passage:
    """What each layer gives out for one digit."""

    c1: Maps  # (6, 28, 28)
    s2: Maps  # (6, 14, 14)
    c3: Maps  # (16, 10, 10)
    s4: Maps  # (16, 5, 5)
    c5: Maps  # (120,)
    f6: Maps  # (84,)
    probabilities: Maps  # (classes,)


@torch.inference_mode()
def passage(model: LeNet5, digit: Input) -> Passage:
    """One digit through the layers, one after the other."""
    arch = model.architecture
    after_s = model.squash if arch.squash_subsampling else torch.nn.Identity()
    x = torch.from_numpy(digit)[None, None] * arch.input_scale + arch.input_offset
    c1 = model.squash(model.c1(x))
    s2 = after_s(model.s2(c1))
    c3 = model.squash(model.c3(s2))
    s4 = after_s(model.s4(c3))
    c5 = model.squash(model.c5(s4)).flatten(1)
    f6 = model.squash(model.f6(c5))
    return Passage(*(_array(tensor) for tensor in (c1, s2, c3, s4, c5, f6, model.output(f6).softmax(dim=1))))


def _array(tensor: Tensor) -> Maps:
    array: Maps = tensor[0].numpy()
    return array


def kernels(model: LeNet5, digit: Input) -> bytes:
    """C1's six kernels, and under each what it makes of the digit."""
    figure = sheet(2.6)
    axes = figure.subplots(2, 6)
    weights = model.c1.weight.detach().numpy()[:, 0]
    for index, (kernel, c1_map) in enumerate(zip(weights, passage(model, digit).c1, strict=True)):
        show(axes[0, index], kernel, f"C1, kernel {index + 1}", signed=True, limit=float(np.abs(weights).max()))
        show(axes[1, index], c1_map, signed=True, limit=model.squash.amplitude)
    return png(figure)


def maps(model: LeNet5, digit: Input) -> bytes:
    """All maps of one digit, layer by layer from the top."""
    found = passage(model, digit)
    rows: list[tuple[str, Maps, int]] = [  # what stands beside it, maps, and how wide the row is, in maps
        ("input\n32x32", digit[None], 6),
        ("C1\n6 of 28x28", found.c1, 6),
        ("S2\n6 of 14x14", found.s2, 6),
        ("C3\n16 of 10x10", found.c3[:8], 8),
        ("", found.c3[8:], 8),
        ("S4\n16 of 5x5", found.s4[:8], 8),
        ("", found.s4[8:], 8),
        ("C5\n120", found.c5.reshape(1, 3, 40), 1),
        ("F6\n84", found.f6.reshape(1, 3, 28), 1),
    ]
    heights = [layer.shape[1] / layer.shape[2] / columns for _, layer, columns in rows]  # of the width
    left, right, gap, answer = 0.115, 0.99, 0.16, 0.12
    inner = (right - left) * WIDTH * (sum(heights) + answer) + gap * len(rows)  # inches
    figure = sheet(inner + 0.35)
    figure.set_layout_engine("none")
    grid = GridSpec(
        len(rows) + 1,
        1,
        figure,
        left=left,
        right=right,
        bottom=0.28 / (inner + 0.35),
        top=1 - 0.07 / (inner + 0.35),
        hspace=gap / ((inner - gap * len(rows)) / (len(rows) + 1)),
        height_ratios=[*heights, answer],
    )
    for index, (label, layer, columns) in enumerate(rows):
        cells = grid[index, 0].subgridspec(1, columns, wspace=0.06)
        for column, one in enumerate(layer):
            axes = figure.add_subplot(cells[0, column])
            show(axes, one, signed=index > 0, limit=model.squash.amplitude)
            if column == 0:
                _beside(axes, label)
    answers = figure.add_subplot(grid[len(rows), 0])
    answers.bar(range(len(found.probabilities)), found.probabilities, color=INK, width=0.6)
    answers.set_xticks(range(len(found.probabilities)), [*map(str, range(10)), "none"][: len(found.probabilities)])
    answers.set_ylim(0, 1.05)
    answers.set_yticks([])
    plain(answers)
    _beside(answers, "OUTPUT")
    return png(figure)


def _beside(axes: Axes, label: str) -> None:
    """A row's name, at the left edge of the sheet."""
    box = axes.get_position()
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.text(0.005, (box.y0 + box.y1) / 2, label, fontsize=SMALL, va="center")


def activations() -> bytes:
    """The four activations, and their slopes."""
    figure = sheet(2.9)
    curve, slope = figure.subplots(1, 2)
    x = torch.linspace(-4, 4, 401, requires_grad=True)
    looks: dict[Any, tuple[str, str]] = {
        "scaled_tanh": ("1.7159 tanh(2x/3)", INK),
        "tanh": ("tanh(x)", PALE),
        "sigmoid": ("sigmoid(x)", ACCENT),
        "relu": ("ReLU(x)", GREEN),
    }
    for name, (label, colour) in looks.items():
        y = Squash(Architecture(activation=name))(x)
        (gradient,) = torch.autograd.grad(y.sum(), x)
        width = 2.2 if name == "scaled_tanh" else 1.4
        curve.plot(x.detach(), y.detach(), color=colour, label=label, linewidth=width)
        slope.plot(x.detach(), gradient, color=colour, linewidth=width)
    curve.plot([-1, 1], [-1, 1], "o", color=INK, markersize=4)
    curve.annotate("f(1) = 1", (1, 1), (1.3, 0.55), fontsize=SMALL, color=INK)
    curve.annotate("f(-1) = -1", (-1, -1), (-0.75, -1.3), fontsize=SMALL, color=INK)
    curve.set_ylim(-2, 2.5)
    curve.set_title("activation")
    slope.set_title("its slope: what is left of a gradient that passes")
    for axes in (curve, slope):
        axes.set_xlabel("weighted sum")
        axes.axhline(0, color=GRAY, linewidth=0.6)
        plain(axes)
    curve.legend(fontsize=SMALL, frameon=False, loc="upper left")
    return png(figure)


def subsampling(model: LeNet5) -> bytes:
    """What a coefficient and a bias make of four inputs, and those that the network learnt."""
    figure = sheet(2.9)
    curve, learnt = figure.subplots(1, 2)
    squash = Squash(Architecture())
    inputs = torch.arange(5)  # how many of the window's four are +1; the others are -1
    mean = (2 * inputs - 4) / 4
    settings = (
        ("small coefficient: it blurs", 0.5, 0.0, PALE, "o"),
        ("large, bias up: any of the four (OR)", 6.0, 4.0, ACCENT, "^"),
        ("large, bias down: all of them (AND)", 6.0, -4.0, INK, "s"),
    )
    for label, coefficient, bias, colour, marker in settings:
        curve.plot(inputs, squash(coefficient * mean + bias), color=colour, marker=marker, markersize=4, label=label)
    curve.set_xticks(range(5))
    curve.set_xlabel("how many of the four inputs are +1")
    curve.set_ylabel("output")
    curve.set_ylim(-2, 3.6)
    curve.set_title("squashed: a coefficient, a bias")
    curve.legend(fontsize=SMALL, frameon=False, loc="upper left")
    for name, layer, colour, marker in (("S2", model.s2, ACCENT, "o"), ("S4", model.s4, INK, "s")):
        if layer.trainable:
            x, y = layer.coefficient.detach().flatten(), layer.bias.detach().flatten()
            learnt.plot(x, y, linestyle="", color=colour, marker=marker, markersize=4, label=name)
    learnt.axvline(model.architecture.subsampling_coefficient, color=GRAY, linewidth=0.8, linestyle=":")
    learnt.set_xlabel("coefficient (dotted: at first)")
    learnt.set_ylabel("bias")
    learnt.set_title("those that the served model learnt")
    learnt.legend(fontsize=SMALL, frameon=False)
    for axes in (curve, learnt):
        plain(axes)
    return png(figure)

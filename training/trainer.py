"""The loop: Adam, the learning rate falling to 0 along half a cosine.

One epoch of MNIST's 60,000 digits in batches of 64 takes 8 s on one thread of a server CPU (AMD EPYC, 2 cores, torch
2.13, n = 3) and 5.6 s on two, as long as nobody else wants the second core: then the threads wait for each other and
an epoch may take a minute. So one is the default.
"""

import copy
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training import parallel
from training.batches import Batches
from training.config import Distillation, Recipe
from training.criterion import loss_of
from training.errors import TrainingError
from training.fields.graph import GraphLoss
from training.inputs import Examples
from training.progress import Reporter, Silent


@dataclass(frozen=True)
class EpochResult:
    """What one pass over the examples came to."""

    epoch: int  # from 1
    loss: float  # mean cross-entropy in nats, of each batch just before it was learnt from
    learning_rate: float  # at the last step
    seconds: float


class Trainer:
    """Teaches one model from examples on one device, an epoch at a time.

    The model is moved to the examples' device. `batches` says how the examples are met: without it as they lie. Equal
    models, examples, recipes and seeds give equal weights on a CPU, bit for bit with the same number of threads, also
    when the run was cut in two by `state` and `restore`. Under torchrun each process learns from its share of every
    batch, and all have the same weights after each step.
    """

    def __init__(
        self,
        model: nn.Module,
        examples: Examples,
        recipe: Recipe,
        seed: int,
        *,
        batches: Batches | None = None,
        distillation: Distillation | None = None,
        graph: GraphLoss | None = None,
    ) -> None:
        self.device = examples.labels.device
        # On a CPU a step of 128 digits takes 15.0 ms with the channels side by side, 16.7 with each by itself.
        self._layout = torch.channels_last if self.device.type == "cpu" else torch.contiguous_format
        self.model = model.to(self.device).to(memory_format=self._layout)  # type: ignore[call-overload]
        self.averaged: nn.Module = copy.deepcopy(self.model) if recipe.average else self.model
        self.batches = batches or Batches(examples)
        self.recipe = recipe
        self.distillation = distillation or Distillation()
        self.graph = graph
        self.epoch = 0  # finished ones
        fused = self.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=fused
        )
        self._shared = parallel.shared(self.model)
        self._seed = seed
        self._order = torch.Generator().manual_seed(seed)
        for parameter in model.parameters():  # Adam's state is made at the first step; `state` wants it before
            self.optimizer.state[parameter] = {
                "step": torch.zeros((), device=self.device if fused else "cpu"),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }

    @property
    def steps_per_epoch(self) -> int:
        """The last batch may be smaller than the others."""
        return math.ceil(len(self.batches) / self.recipe.batch_size)

    def learning_rate(self, step: int) -> float:
        """At `step` (from 0, over all epochs)."""
        progress = step / (self.steps_per_epoch * self.recipe.epochs)
        warmth = min(1.0, (step + 1) / self.recipe.warm_up) if self.recipe.warm_up else 1.0
        return warmth * self.recipe.learning_rate * (1 + math.cos(math.pi * progress)) / 2

    def run_epoch(self, reporter: Reporter | None = None) -> EpochResult:
        """Learn from every example once, in a new order.

        Raises:
            TrainingError: the loss is no number any more.
        """
        start = time.perf_counter()
        self.model.train()
        if self.batches.augment:
            parallel.tell_apart(self.batches.augment.generator, self._seed, self.epoch)
        order = torch.randperm(len(self.batches), generator=self._order).to(self.device)
        total = torch.zeros((), device=self.device)  # stays on the device: no step waits for the last one's loss
        first = self.epoch * self.steps_per_epoch
        indices = enumerate(order.split(self.recipe.batch_size), first)  # type: ignore[no-untyped-call]
        what = f"epoch {self.epoch + 1}/{self.recipe.epochs}"
        for step, index in (reporter or Silent()).track(indices, what, self.steps_per_epoch):
            for group in self.optimizer.param_groups:
                group["lr"] = self.learning_rate(step)
            mine, weight = parallel.share(index)
            batch = self.batches.take(self.epoch, mine)
            logits = self._shared(batch.inputs.to(memory_format=self._layout))
            loss = loss_of(logits, batch, self.recipe, self.distillation) * weight
            if self.graph:
                loss = loss + self.graph(self.model, self.epoch, step - first, self.steps_per_epoch)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            self._average(step)
            total += loss.detach() * len(index)
        self.epoch += 1
        mean = parallel.mean(total).item() / len(self.batches)
        if not math.isfinite(mean):
            raise TrainingError(f"The loss is {mean} in epoch {self.epoch}: try a smaller recipe.learning_rate.")
        rate = self.learning_rate(first + self.steps_per_epoch - 1)
        return EpochResult(self.epoch, mean, rate, time.perf_counter() - start)

    @torch.no_grad()
    def _average(self, step: int) -> None:
        """Move the average on; over the first steps it is a plain mean, so that the initial weights are forgotten."""
        if self.averaged is self.model:
            return
        share = max(1 - self.recipe.average, 1 / (step + 1))
        torch._foreach_lerp_(list(self.averaged.parameters()), list(self.model.parameters()), share)
        for kept, buffer in zip(self.averaged.buffers(), self.model.buffers(), strict=True):
            kept.copy_(buffer)

    def state(self) -> dict[str, Tensor]:
        """Everything the next epoch depends on, besides `epoch`: weights, Adam's moments, what randomness is at."""
        tensors = {f"model.{name}": tensor for name, tensor in self.averaged.state_dict().items()}
        if self.averaged is not self.model:
            tensors |= {f"last.{name}": tensor for name, tensor in self.model.state_dict().items()}
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimizer.state[parameter].items():
                tensors[f"adam.{key}.{name}"] = value
        tensors["order"] = self._order.get_state()
        tensors["dropout"] = torch.get_rng_state()
        if self.batches.augment:
            tensors["distortions"] = self.batches.augment.generator.get_state()
        return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}

    def restore(self, tensors: Mapping[str, Tensor], epoch: int) -> None:
        """Go back to where `state` was taken, after `epoch` epochs."""
        self.averaged.load_state_dict(below("model.", tensors))
        if self.averaged is not self.model:
            self.model.load_state_dict(below("last.", tensors))
        for name, parameter in self.model.named_parameters():
            for key, value in self.optimizer.state[parameter].items():
                value.copy_(tensors[f"adam.{key}.{name}"])
        self._order.set_state(tensors["order"])
        torch.set_rng_state(tensors["dropout"])
        if self.batches.augment:
            self.batches.augment.generator.set_state(tensors["distortions"])
        self.epoch = epoch


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


@torch.inference_mode()
def logits_of(model: nn.Module, examples: Examples, batch_size: int = 1000) -> Tensor:
    """The model's answers, float32 (n, classes) on the CPU."""
    model.eval()
    batches = examples.inputs.split(batch_size)  # type: ignore[no-untyped-call]
    return torch.cat([model(batch).cpu() for batch in batches])

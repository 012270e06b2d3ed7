"""How a model was made, in words, from its config alone: what a config does not ask for is not spoken of."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.lenet.architecture import Architecture
from app.lenet.calibration import Calibration
from training import datasets
from training.augment import Distortions
from training.config import Config, Distillation, Recipe
from training.datasets import RUBBISH


def network(config: Config, shape: Architecture, parameters: int) -> str:
    """The network, layer by layer: `shape` is the config's with its input settled, `parameters` counts trained ones."""
    window = f"{shape.pool_kernel}x{shape.pool_kernel} window, {shape.pool_stride} pixels apart"
    pooled = {
        "trainable": f"the mean of each {window}, times a trained coefficient (at first "
        f"{shape.subsampling_coefficient:g}) plus a trained bias",
        "mean": f"the plain mean of each {window}",
        "max": f"the maximum of each {window}",
    }[shape.subsampling]
    squash = {
        "scaled_tanh": f"{shape.amplitude:g} tanh({shape.slope:.4g} x)",
        "tanh": "tanh(x)",
        "sigmoid": "1 / (1 + exp(-x))",
        "relu": "max(0, x)",
    }[shape.activation]
    task = " It judges the candidates of whole fields (`/read`)." if config.task == "field" else ""
    c3 = "all six S2 maps" if shape.c3 == "full" else "those S2 maps that the paper's Table I gives it"
    return (
        f"LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998) with {parameters:,} trained parameters. Each C3 map sees "
        f"{c3}. S2 and S4 take {pooled}, {'squashed' if shape.squash_subsampling else 'not squashed'}. The activation "
        f"is {squash}. {_output(shape)} {_first_operation(config, shape)}{task}"
    )


def _output(shape: Architecture) -> str:
    classes = "the ten digits" if shape.num_classes == RUBBISH else f"{shape.num_classes} classes"
    if shape.num_classes == RUBBISH + 1:
        classes = 'the ten digits and of "no digit"'
    if shape.output == "linear":
        return f"OUTPUT is linear, the logits of {classes}."
    return f"OUTPUT is Euclidean RBF units on fixed 7x12 bitmaps: the logits of {classes} are the negated penalties."


def _first_operation(config: Config, shape: Architecture) -> str:
    if (shape.input_scale, shape.input_offset) == (1, 0):
        return "It takes ink as it is, 0..1."
    ground, ink = shape.input_offset, shape.input_scale + shape.input_offset
    why = {
        "standardised": ": zero mean and unit deviation over what it learnt from",
        "paper": ", as in the paper",
        "shared": "",
    }[config.input]
    return f"Its own first, fixed operation takes the background to {ground:.4g} and full ink to {ink:.4g}{why}."


def learning(config: Config) -> str:
    """What was made small, and how."""
    recipe, relu = config.recipe, config.architecture.activation == "relu"
    criterion = {
        "cross_entropy": "The cross-entropy is made small",
        "map": f"The paper's MAP criterion (eq. 9, its rubbish class with a penalty of {recipe.rubbish_penalty:g}) is "
        "made small",
    }[recipe.criterion]
    start = {
        "fan_in": f"uniform weights with a deviation of {'sqrt(2)' if relu else '1'} / sqrt(fan-in)",
        "paper": "the paper's uniform weights in +-2.4 / fan-in",
    }[recipe.initial_weights]
    first = f"the weights that the run `{recipe.start}` ended with" if recipe.start else start
    graph = (
        f" Beside it, with a weight of {config.graph.weight:g}, - log posterior of the right readings of whole fields "
        "is made small, through the graph of their candidates (section VI.E of the paper)."
        if config.graph.weight
        else ""
    )
    decay = f"AdamW with a weight decay of {recipe.weight_decay:g}" if recipe.weight_decay else "Adam"
    warm = f" after {recipe.warm_up:,} steps of warm-up" if recipe.warm_up else ""
    kept = (
        f"an exponential average of the weights is kept, with a decay of {recipe.average:g} a step"
        if recipe.average
        else "the weights after the last epoch are kept"
    )
    return (
        f"{criterion} by {decay}, from {first}: {recipe.epochs} epochs of batches of {recipe.batch_size}, the learning "
        f"rate {recipe.learning_rate:g}{warm}, falling to 0 along half a cosine; {kept}. Seed {config.seed}, "
        f"{recipe.threads} {'thread' if recipe.threads == 1 else 'threads'}.{graph}"
    )


def lines(made: Mapping[str, Any] | None) -> str:
    """The network that reads whole lines, and how it learnt: what a manifest's training holds of it."""
    if made is None:
        return ""
    steps = [
        f"{one['epochs']} epochs of {one['lines']:,} made lines"
        + (f" and {one['amounts']:,} pictures of amounts" if one["amounts"] else "")
        + f", the learning rate {one['learning_rate']:g}"
        for one in made["steps"]
    ]
    return (
        f"Beside LeNet-5 a space displacement network (section VII of the paper) of {made['parameters']:,} trained "
        "parameters reads the whole line. Connectionist temporal classification (Graves et al. 2006) says how likely "
        f"it makes each text. It learnt by AdamW from {'; then '.join(steps)}, each time falling to 0 along half a "
        "cosine, from lines that were each a little widened, slanted, moved, darkened or the contrary; an average of "
        "the weights is kept."
    )


def distortions(asked: Distortions, recipe: Recipe) -> str:
    """What was done to the pictures that were learnt."""
    said = {
        "rotation": f"rotation by up to {asked.rotation:g} degrees",
        "shear": f"horizontal shear by up to {asked.shear:g} pixels a pixel",
        "scale": f"scale by a factor of up to exp({asked.scale:g})",
        "squeeze": f"squeeze of width against height by up to exp({asked.squeeze:g})",
        "translation": f"translation by up to {asked.translation:g} pixels each way",
        "elastic": f"elastic displacements of {asked.elastic:g} pixels (root mean square), smooth between "
        f"{asked.elastic_grid}x{asked.elastic_grid} knots",
        "stroke": f"up to {asked.stroke:g} of a dilation or erosion by one pixel",
        "gamma": f"ink to a power of up to exp({asked.gamma:g})",
        "blur": f"up to {asked.blur:g} of a 3x3 binomial blur",
        "noise": f"noise of a deviation of up to {asked.noise:g}",
    }
    chosen = [words for key, words in said.items() if getattr(asked, key)]
    if not chosen:
        return "The pictures are learnt as they are, without distortions."
    who = "Every example" if asked.share == 1 else f"A share of {asked.share:.0%} of the examples"
    when = f"in {recipe.copies} copies made beforehand" if recipe.copies else "anew each time it is met"
    back = ", and brought back into MNIST's form: a 20x20 box about its centre of mass" if asked.renormalise else ""
    return f"{who} is distorted {when}: {'; '.join(chosen)}{back}."


def distillation(asked: Distillation, teachers: Sequence[Mapping[str, Any]]) -> str:
    """Which teachers, and what those learnt from; empty without one. `teachers` is what the manifest says of them."""
    if not asked.teachers:
        return ""
    known = {teacher["run"]: teacher for teacher in teachers}
    each = "; ".join(f"`{name}`{_taught(known.get(name))}" for name in asked.teachers)
    return (
        "It learns from larger networks' answers too, which are never served (distillation; Hinton, Vinyals and Dean "
        f"2015): {asked.weight:.0%} of the loss is the cross-entropy with the mean of their logits at a temperature of "
        f"{asked.temperature:g}. Taught by: {each}."
    )


def _taught(teacher: Mapping[str, Any] | None) -> str:
    if teacher is None:
        return ", of which no more is recorded"
    names = ", ".join(f"`{name}`" for name in teacher["data"])
    return f", trained on {names}, with {teacher['held_out_error_percent']:.2f} % of its held-out digits misread"


def validation(config: Config) -> str:
    """What was held out, and what for."""
    data, title = config.data, datasets.describe(config.data.train).title
    how = (
        f"the last {data.validation_digits:,} digits of {title}"
        if data.validation == "last"
        else f"of {title}, all digits of as many writers as have {data.validation_digits:,} or a few more"
    )
    more = [f"every tenth of `{name}`" for name in (*data.also, *filter(None, [config.rubbish.marks]))]
    if config.rubbish.pictures:
        more.append(f"{config.rubbish.pictures // 10:,} pictures of no digit more, made like those that are learnt")
    limited = f"Only the first {data.limit:,} digits of {title} are used. " if data.limit else ""
    held_out = f"{limited}Held out are {'; '.join([how, *more])}."
    if config.recipe.refit:
        return f"{held_out} The model of this folder was then trained anew on everything, by the same recipe."
    return f"{held_out} The model of this folder has not learnt from them."


def calibration(config: Config, fitted: Calibration | None) -> str:
    """How the confidence came about."""
    if fitted is None:
        none = "" if config.architecture.num_classes == RUBBISH else ', less the share that "no digit" has'
        return (
            "The probabilities are the network's own softmax over the ten digits, and the confidence is the largest of "
            f"them{none}: neither was calibrated."
        )
    origins = " and ".join(f"`{name}`" for name in (config.data.train, *config.data.also))
    share = config.rubbish.share
    none = (
        f" What is no digit weighs {share:g} of it, digits {1 - share:g}; the confidence counts it in, and a picture "
        f'whose probability of being a digit is under {fitted.least_digitness:g} is "no digit".'
        if fitted.classes > RUBBISH
        else ""
    )
    refit = " (by the network that had not learnt from them)" if config.recipe.refit else ""
    weights = len(fitted.temperature) + len(fitted.digitness)
    return (
        f"Probabilities and confidence are calibrated by a form with {weights} weights that lies in the manifest, "
        f"fitted to the held-out pictures{refit}, the origins of digits ({origins}) weighing alike.{none}"
    )

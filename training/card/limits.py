"""What a model is for and where it ends: what its figures do not show, as far as its config makes it true."""

from app.lenet.calibration import Calibration
from training.config import Config
from training.report import Report

ALIKE = "- What looks like a digit is one to it: alone in a picture, a slash is a 1, a z a 2, an O a 0."

DECEIVED = "- Nothing was done against pictures that are made to deceive it."


def reads(config: Config) -> str:
    """What it does, in a sentence."""
    if config.task == "field":
        return (
            "It reads whole handwritten fields, postal codes and amounts. This card measures its LeNet-5 on single "
            "digits; how well fields are read stands in `docs/fields.md`."
        )
    return "It reads one handwritten digit."


def use(config: Config) -> str:
    """What it is made for, and what not."""
    if config.task == "field":
        return (
            "It reads one line of handwritten digits in a picture that is cropped to it, behind `app.fields`, which "
            "cleans the line and cuts it into candidates. It is made for postal codes, courtesy amounts and numbers of "
            "forms, where a format says what may stand there and where somebody looks at what is not accepted. It is "
            "not made for printed type, words, finding a field on a page, or saying who wrote something; and where a "
            "single wrong digit does harm, a check of another kind (a check digit, the amount in words) has to stand "
            "behind it."
        )
    printed = (
        "It has learnt digits of fonts too, but was measured on none that are printed. It is not made for"
        if config.data.printed
        else "It is not made for printed type,"
    )
    return (
        "It reads one handwritten digit in a picture, behind `app.imaging`, which finds the digit in the picture and "
        "brings it into the form that the network knows. It is made for forms, codes and counts where each digit has a "
        f"place of its own, and where somebody looks at what is not accepted. {printed} letters, several digits in one "
        "picture, or saying who wrote something; and where a single wrong digit does harm, a check of another kind (a "
        "check digit, a second reading) has to stand behind it."
    )


def _writers(config: Config) -> str:
    drawn = (
        "The program drew such strokes into digits that it learnt from; of real ones it has hardly learnt any"
        if config.data.continental
        else "It has hardly learnt such digits"
    )
    return (
        "- The writers of MNIST are employees of the US census bureau and US high-school students. Who was taught to "
        "write elsewhere has other forms, rare in it: a 1 with a long upstroke, a 7 with a bar. "
        f"{drawn}. The figures on other sets show how much hands of other origins cost where that could be measured; "
        "on your own digits, measure it."
    )


def limits(config: Config, calibration: Calibration | None, report: Report) -> str:
    """A list in Markdown."""
    taught = config.rubbish.pictures or config.rubbish.marks
    none = (
        "- It has an output for what is no digit, taught by the kinds named under the data. Of other kinds it refuses "
        "what resembles those; how much of some others it accepts stands in the table above."
        if taught
        else "- It was taught digits alone and has no output for what is none: whatever it is shown, it reads as one "
        "of ten. Only a low confidence tells, and how seldom it does stands in the table above."
    )
    sure = (
        "- Its confidence is not calibrated: it says which of two readings is surer, not how often either is right."
        if calibration is None
        else "- Its confidence is true for a mixture like the one that it was fitted to. On other hands and scanners "
        "it is off as the expected calibration errors above show"
        + (", and how often callers send what is no digit it cannot know." if taught else ".")
    )
    learnt = [f"`{name}`" for name, one in report.digits.items() if one.role in ("learnt", "partly learnt")]
    flattered = [f"- It has learnt from {', '.join(learnt)}: the figures there are no test."] if learnt else []
    writers = [_writers(config)] if config.data.train == "mnist-train" else []
    return "\n".join([none, ALIKE, *writers, sure, *flattered, DECEIVED])

"""Before and after, in one table."""

from rich.table import Table

from training.fine_tuning.run import FineTuned

COLUMNS = ("set", "pictures", "error before", "error after", "misread")


def table(result: FineTuned) -> Table:
    """Every set with its errors before and after, for a person at a terminal."""
    shown = Table(title=f"{result.parent.spec} before and after, {chosen(result)}")
    shown.add_column(COLUMNS[0], no_wrap=True)
    for name in COLUMNS[1:]:
        shown.add_column(name, justify="right")
    for row in rows(result):
        shown.add_row(*row)
    return shown


def chosen(result: FineTuned) -> str:
    """Which weights were taken, in words."""
    taken = result.choice.candidate
    return f"{taken.share:.0%} of the way to the weights after epoch {taken.epoch}"


def rows(result: FineTuned) -> list[tuple[str, ...]]:
    """The cells of the table."""
    return [
        (
            one.name,
            f"{one.before.count:,}",
            f"{one.before.error_percent:.2f} %",
            f"{one.after.error_percent:.2f} %",
            f"{one.before.misses} -> {one.after.misses}",
        )
        for one in result.compared
    ]


def remarks(result: FineTuned) -> list[str]:
    """What a reader of the table has to know, in sentences."""
    said = []
    if result.rehearsal.seen:
        said.append(
            f"{result.parent.spec} once learnt from the old digits that are held out here, so that its figures on them "
            "are better than on digits that it never saw."
        )
    if result.also_old:
        said.append(
            f"{result.also_old} of the own pictures are also among the old held-out digits or those of the test set: "
            "the figures on these say less."
        )
    if result.rehearsal.missing:
        said.append(f"Not rehearsed, as it is not here: {', '.join(result.rehearsal.missing)}.")
    if result.choice.refusal:
        said.append(f"Not to be served: {result.choice.refusal}.")
    return said

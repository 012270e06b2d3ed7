"""Which kind of data a path is."""

from pathlib import Path

from training.errors import DatasetError
from training.own import folders, idx_pair, table
from training.own.digits import OwnDigits, collect
from training.progress import Reporter, Silent


def read(data: Path, labels: Path | None = None, reporter: Reporter | None = None) -> OwnDigits:
    """The digits in a folder of class folders, in a CSV, or in an IDX file with the one of its `labels`.

    Raises:
        DatasetError: it is none of these, something in it is wrong, or none of its pictures can be learnt from.
        OSError: it cannot be read.
    """
    say = reporter or Silent()
    if data.is_dir():
        if others := folders.ignored(data):
            say.line(f"{data}: left out, as they name no class: {', '.join(others[:10])}{', ...' * (len(others) > 10)}")
        items = folders.items(data)
    elif not data.exists():
        raise DatasetError(f"There is no {data}.")
    elif data.suffix.lower() == ".csv":
        items = table.items(data)
    elif "idx" in data.name or labels:
        items = idx_pair.items(data, labels or idx_pair.labels_beside(data))
    else:
        raise DatasetError(
            f"{data} is neither a folder with folders 0 to 9, nor a .csv with the columns path and label, nor an IDX "
            "file, whose name has idx in it."
        )
    return collect(data.name or str(data), items, say)

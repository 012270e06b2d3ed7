"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

DataDir = Annotated[
    Path | None,
    Parameter(
        env_var="LENET5_DATA_DIR",
        help="Searched for data sets before the folder in the project: it holds mnist/, usps/, optdigits/.",
    ),
]
Device = Annotated[
    str | None,
    Parameter(help="cpu, cuda, cuda:1 or mps; without it the CUDA GPU with the most free memory, else MPS, else CPU."),
]

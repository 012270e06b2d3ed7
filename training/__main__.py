"""`python -m training`: train | evaluate | report | card | fine-tune | fetch."""

import sys

try:
    from training.cli import main
except ModuleNotFoundError as missing:
    sys.stderr.write(
        f"{missing}: the training needs the extra train, pip install -c constraints.txt './client' '.[train]'\n"
    )
    sys.exit(2)

sys.exit(main())

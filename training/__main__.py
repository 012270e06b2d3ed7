"""`python -m training`: train | evaluate | fetch."""

import sys

from training.cli import main

sys.exit(main())

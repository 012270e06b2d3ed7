"""`python -m app` is `lenet5`."""

from app.cli import main

main()

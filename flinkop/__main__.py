"""`python -m flinkop`."""

from flinkop.cli import main

main()

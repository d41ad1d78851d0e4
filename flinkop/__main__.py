"""`python -m flinkop`."""

from flinkop.cli.main import main

main()

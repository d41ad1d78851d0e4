"""Parses the command line and hands over to the command."""

import argparse
import sys
from collections.abc import Sequence

from flinkop import __version__
from flinkop.cli import config, crds, run


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line; ends the process with its exit code.

    0: done. 1: it was not possible this time. 2: something that was given cannot be used.
    """
    arguments = _parser().parse_args(argv)
    sys.exit(arguments.command(arguments))


def _version(_: argparse.Namespace) -> int:
    print(f"flinkop {__version__}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="flinkop", description="A Kubernetes operator for Apache Flink."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("version", help="print the version").set_defaults(command=_version)
    run.add_to(commands)
    crds.add_to(commands)
    config.add_to(commands)
    return parser

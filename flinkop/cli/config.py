"""`flinkop config check`."""

import argparse
import sys
from pathlib import Path

from flinkop.cli import exits
from flinkop.config import checking, source
from flinkop.config.errors import ConfigError
from flinkop.config.flink_conf import FlinkConf


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    config = commands.add_parser(
        "config", help="look after configuration files", description="The operator's configuration."
    )
    parts = config.add_subparsers(required=True, metavar="COMMAND")
    check = parts.add_parser(
        "check",
        help="tell what is wrong with a file",
        description="Tells what cannot be read, is not known or has no effect, without a cluster. "
        "Ends with 1 when the operator would not start with it.",
    )
    check.add_argument(
        "path", metavar="FILE", help="flink-conf.yaml, a YAML file, or a directory with either"
    )
    check.set_defaults(command=_check)


def _check(arguments: argparse.Namespace) -> int:
    path = Path(arguments.path)
    try:
        loaded = source.load_directory(path) if path.is_dir() else source.load_file(path)
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return exits.FAILED
    for sentence in loaded.warnings:
        print(f"warning: {sentence}")
    findings = checking.check(FlinkConf(loaded.entries))
    for finding in findings:
        print(f"{finding.level.value}: {finding.message}")
    errors = sum(finding.level is checking.Level.ERROR for finding in findings)
    print(f"{arguments.path}: {len(loaded.entries)} options, {errors} errors")
    return exits.FAILED if errors else 0

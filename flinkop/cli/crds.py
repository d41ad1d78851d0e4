"""`flinkop crds apply` and `flinkop crds show`."""

import argparse
import asyncio
import os
import sys
from typing import Any

import yaml

from flinkop.cli import exits
from flinkop.clock import SystemClock
from flinkop.crds import applying, documents
from flinkop.kube import config as kube_config
from flinkop.kube.client import KubeClient
from flinkop.kube.errors import ApiError, ConfigError


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    crds = commands.add_parser(
        "crds",
        help="install or upgrade the custom resource definitions",
        description="The custom resource definitions of this version, which other releases than this one may read, too.",
    )
    parts = crds.add_subparsers(required=True, metavar="COMMAND")
    apply = parts.add_parser(
        "apply",
        help="bring those of the cluster up to date",
        description="Server-side apply, whoever installed them; resources are not touched.",
    )
    apply.add_argument("--kubeconfig", help="path; default: $KUBECONFIG, the pod, ~/.kube/config")
    apply.add_argument("--context", help="context of the kubeconfig")
    apply.add_argument("--dry-run", action="store_true", help="let the server judge, write nothing")
    apply.set_defaults(command=_apply)
    parts.add_parser("show", help="print them as YAML").set_defaults(command=_show)


def _apply(arguments: argparse.Namespace) -> int:
    try:
        asyncio.run(_bring(arguments.kubeconfig, arguments.context, dry_run=arguments.dry_run))
    except ConfigError as error:
        print(f"flinkop: {error}", file=sys.stderr)
        return exits.USAGE
    except ApiError as error:
        print(f"flinkop: {error}", file=sys.stderr)
        return exits.FAILED
    return 0


async def _bring(kubeconfig: str | None, context: str | None, *, dry_run: bool) -> None:
    credentials = await kube_config.load(
        kubeconfig, context, environ=os.environ, clock=SystemClock()
    )
    async with KubeClient(credentials) as kube:
        await applying.apply(kube, documents.made(), print, dry_run=dry_run)


def _show(_: argparse.Namespace) -> int:
    yaml.dump_all(documents.made(), sys.stdout, Dumper=_Plain, sort_keys=False, width=110)
    return 0


class _Plain(yaml.CSafeDumper):
    """Block YAML without anchors for equal parts, so that every tool reads it."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class's signature
        """Write equal objects anew."""
        return True

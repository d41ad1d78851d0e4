"""`flinkop run`."""

import argparse
import asyncio
import os
import sys
from typing import Final

from flinkop import log, process
from flinkop.cli import exits
from flinkop.config import source
from flinkop.config.errors import ConfigError
from flinkop.kube.errors import ConfigError as CredentialsError

_EPILOG: Final = """\
configuration:
  FLINK_CONF_DIR      directory with flink-conf.yaml or config.yaml, and log4j-console.properties;
                      unset: the defaults that the Helm chart ships
  CONF_OVERRIDE_DIR   a second such directory, laid over the first
  WATCH_NAMESPACES    comma-separated namespaces, instead of kubernetes.operator.watched.namespaces

examples:
  flinkop run                                       the current context of your kubeconfig
  flinkop run --namespace team-a --namespace team-b only these namespaces
  flinkop run --log-level debug --log-format console
"""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    run = commands.add_parser(
        "run",
        help="run the operator",
        description="Run the operator against the cluster of your kubeconfig, or inside a cluster.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cluster = run.add_argument_group("cluster")
    cluster.add_argument("--kubeconfig", help="path; default: $KUBECONFIG, the pod, ~/.kube/config")
    cluster.add_argument("--context", help="context of the kubeconfig")
    which = cluster.add_mutually_exclusive_group()
    which.add_argument(
        "--namespace", action="append", default=[], metavar="NAME", help="only this; repeatable"
    )
    which.add_argument(
        "--namespace-selector",
        metavar="SELECTOR",
        help="namespaces with these labels, followed live",
    )
    cluster.add_argument(
        "--rest-template",
        metavar="URL",
        help="address of Flink's REST API, with {namespace} and {name}; "
        "default: the Service inside a cluster, the API server's proxy outside",
    )
    settings = run.add_argument_group("settings")
    settings.add_argument("--conf-dir", metavar="DIR", help="instead of $FLINK_CONF_DIR")
    settings.add_argument("--health-host", metavar="ADDRESS", help="default: all interfaces")
    settings.add_argument(
        "--health-port",
        type=int,
        metavar="PORT",
        help="of /healthz, /readyz and /metrics; default: kubernetes.operator.health.probe.port (8085)",
    )
    settings.add_argument(
        "--lease-name",
        metavar="NAME",
        help="elect a leader by this Lease; default: as configured, off without",
    )
    settings.add_argument(
        "--lease-namespace", metavar="NAME", help="default: the operator's own namespace"
    )
    settings.add_argument(
        "--identity", metavar="NAME", help="of this process in the Lease; default: $HOSTNAME"
    )
    logs = run.add_argument_group("logs")
    logs.add_argument(
        "--log-format",
        choices=("auto", "console", "json"),
        default=os.environ.get("FLINKOP_LOG_FORMAT", "auto"),
        help="auto: console on a terminal, JSON otherwise",
    )
    logs.add_argument(
        "--log-level",
        default=os.environ.get("FLINKOP_LOG_LEVEL", "info"),
        metavar="LEVEL",
        help="debug, info, warning or error",
    )
    run.set_defaults(command=_run)


def _run(arguments: argparse.Namespace) -> int:
    log.configure(arguments.log_format, arguments.log_level)
    try:
        options = _options(arguments)
        loaded, snapshot = source.open_snapshot(options.environ)
        with asyncio.Runner(loop_factory=process.loop_factory) as runner:
            return runner.run(process.run(options, loaded, snapshot))
    except (ConfigError, CredentialsError, ValueError) as error:
        print(f"flinkop: {error}", file=sys.stderr)
        return exits.USAGE


def _options(arguments: argparse.Namespace) -> process.ProcessOptions:
    environ = dict(os.environ)
    if arguments.conf_dir is not None:
        environ["FLINK_CONF_DIR"] = arguments.conf_dir
    if arguments.namespace:
        environ["WATCH_NAMESPACES"] = ",".join(arguments.namespace)
    return process.ProcessOptions(
        kubeconfig=arguments.kubeconfig,
        context=arguments.context,
        namespace_selector=arguments.namespace_selector,
        rest_template=arguments.rest_template,
        health_host=arguments.health_host,
        health_port=arguments.health_port,
        lease_name=arguments.lease_name,
        lease_namespace=arguments.lease_namespace,
        identity=arguments.identity,
        environ=environ,
    )

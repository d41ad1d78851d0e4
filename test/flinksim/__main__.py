"""`python -m flinksim --kubeconfig FILE --port N`: plays Flink for all JobManager pods of a cluster."""

import argparse
import asyncio
import json
import signal
import sys

from flinksim.server import simulation

from flinkop.kube import config
from flinkop.kube.client import KubeClient


def arguments(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="flinksim", description=__doc__)
    parser.add_argument("--kubeconfig", help="as for kubectl")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--port", type=int, default=0, help="0 takes a free one, see the ready line"
    )
    parser.add_argument("--namespaces", default="", help="only these, separated by commas")
    parser.add_argument(
        "--task-managers",
        choices=["none", "pods"],
        default="none",
        help="whether task managers are pods",
    )
    parser.add_argument(
        "--orders",
        type=json.loads,
        default={},
        help="orders for all clusters, as JSON (see README.md)",
    )
    return parser.parse_args(argv)


async def serve(options: argparse.Namespace) -> None:
    credentials = await config.load(options.kubeconfig, options.context)
    async with (
        KubeClient(credentials, user_agent="flinksim") as client,
        simulation(
            client,
            host=options.host,
            port=options.port,
            task_managers=options.task_managers,
            namespaces=[name for name in options.namespaces.split(",") if name],
        ) as running,
    ):
        running.world.order("*", "*", options.orders)
        told_to_stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, told_to_stop.set)
        print(f"flinksim ready at {running.url}", flush=True)
        await told_to_stop.wait()


def main() -> int:
    asyncio.run(serve(arguments()))
    return 0


if __name__ == "__main__":
    sys.exit(main())

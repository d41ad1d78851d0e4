"""Control planes for tests by hand: `python3 hack/controlplane.py tools|up|down|list|gc`."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from hack.clusters import records, toolset
from hack.clusters.cluster import ControlPlane
from hack.clusters.errors import ControlPlaneError
from hack.clusters.progress import Progress


def tools(arguments: argparse.Namespace) -> None:
    """Get the binaries ready and print where they are."""
    ready = toolset.ready(Progress(quiet=arguments.quiet))
    for name, binary in sorted(ready.binaries.items()):
        print(f"{name:24} {binary.version:10} {binary.path}")


def up(arguments: argparse.Namespace) -> None:
    """Start a cluster that stays, and print its kubeconfig."""
    progress = Progress(quiet=arguments.quiet)
    if records.read(arguments.name):
        plane = ControlPlane.attach(arguments.name)
        progress.line(f"cluster {plane.name} is up already")
    else:
        progress.line(f"starting cluster {arguments.name}")
        plane = ControlPlane.create(arguments.name, nodes=arguments.nodes, progress=progress)
        plane.keep()
        progress.line(f"cluster {plane.name} is up: {plane.server}")
    print(f"export KUBECONFIG={plane.kubeconfig}")


def down(arguments: argparse.Namespace) -> None:
    """End a cluster."""
    record = records.read(arguments.name)
    if not record:
        raise ControlPlaneError(f"no cluster {arguments.name}")
    record.erase()


def listing(_: argparse.Namespace) -> None:
    """Print the clusters: name, API server, state."""
    for record in records.all_records():
        state = "orphaned" if record.orphaned else "kept"
        if record.owner and not record.orphaned:
            state = f"of process {record.owner.pid}"
        print(f"{record.name:24} https://127.0.0.1:{record.ports['api']} {state}")


def gc(_: argparse.Namespace) -> None:
    """End the clusters whose process is gone."""
    for name in records.collect():
        print(f"removed {name}")


def main() -> int:
    """Parse the command line and do as it says; 1 with a message on failure."""
    parser = argparse.ArgumentParser(prog="hack/controlplane.py", description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="no progress on stderr")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=run.__doc__, description=run.__doc__)
        added.set_defaults(run=run)
        return added

    command("tools", tools)
    starting = command("up", up)
    starting.add_argument("name", nargs="?", default="dev")
    starting.add_argument("--nodes", type=int, default=2, help="of a thousand pods each")
    command("down", down).add_argument("name", nargs="?", default="dev")
    command("list", listing)
    command("gc", gc)
    arguments = parser.parse_args()
    try:
        arguments.run(arguments)
    except ControlPlaneError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

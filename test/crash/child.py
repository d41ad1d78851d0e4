"""What an operator's process runs: the command line itself, forked with everything imported already."""

import ctypes
import os
import signal
from collections.abc import Mapping, Sequence

from flinkop.cli import main
from flinkop.kube import libraryimport

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG

libraryimport.load("kube_config")  # what every start loads late


def run(arguments: Sequence[str], environ: Mapping[str, str], log: str) -> None:
    """Run `flinkop` with its output in the file `log`, until it ends or is killed."""
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    os.setsid()  # Ctrl-C is for who runs the test, not for each operator
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for standard in (1, 2):
        os.dup2(file, standard)
    os.environ.update(environ)
    main.main(arguments)

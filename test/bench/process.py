"""What the kernel knows of a process: CPU seconds and resident memory. Linux only."""

import os
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_MIB = 1024.0


def cpu_seconds(pid: int) -> float:
    """User and system CPU seconds of a process so far, without its children."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mib(pid: int) -> float:
    """Resident memory now, in MiB."""
    return _status(pid, "VmRSS") / _MIB


def peak_mib(pid: int) -> float:
    """The largest resident memory so far, in MiB."""
    return _status(pid, "VmHWM") / _MIB


def _status(pid: int, key: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{key}:"):
            return int(line.split()[1])
    raise LookupError(f"/proc/{pid}/status has no {key}")

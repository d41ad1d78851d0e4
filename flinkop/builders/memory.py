"""Flink's memory model: from options to process sizes (`kubernetes-objects.md` 5).

All sizes are bytes. Fractions are 32-bit floats widened to 64, and products are cut to whole bytes, as
Flink does it; a byte more or less would show in the pods' arguments.
"""

import struct
from decimal import Decimal

import attrs

from flinkop.api import quantity
from flinkop.builders.errors import BuildError
from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.option import Option, Scope, Section

_FLINK = Section(Scope.FLINK)
_UNLIMITED = 2**63 - 1


def _single(text: str) -> float:
    try:
        return _float32(float(text))
    except ValueError:
        raise ValueError("not a number, write one such as 0.1") from None


def _float32(number: float) -> float:
    widened: float = struct.unpack("f", struct.pack("f", number))[0]
    return widened


def _fraction(key: str, default: float, *older_keys: str) -> Option[float]:
    return Option(
        key, _single, _float32(default), Scope.FLINK, "Share of memory.", "Float", older_keys
    )


def _size(key: str, default: str, *older_keys: str) -> Option[int]:
    return _FLINK.memory(key, default, "Memory.", *older_keys)


def _maybe(key: str, *older_keys: str) -> Option[int | None]:
    return _FLINK.optional_memory(key, "Memory.", *older_keys)


@attrs.frozen
class _Process:
    """Options that JobManager and TaskManager have alike."""

    flink: Option[int | None]
    process: Option[int | None]
    metaspace: Option[int]
    overhead_min: Option[int]
    overhead_max: Option[int]
    overhead_fraction: Option[float]

    @classmethod
    def under(cls, prefix: str) -> "_Process":
        return cls(
            _maybe(prefix + "flink.size"),
            _maybe(prefix + "process.size"),
            _size(prefix + "jvm-metaspace.size", "256m"),
            _size(prefix + "jvm-overhead.min", "192m"),
            _size(prefix + "jvm-overhead.max", "1g"),
            _fraction(prefix + "jvm-overhead.fraction", 0.1),
        )


_JM = _Process.under("jobmanager.memory.")
JM_HEAP = _maybe("jobmanager.memory.heap.size", "jobmanager.heap.size")
JM_OFF_HEAP = _size("jobmanager.memory.off-heap.size", "128m")
JM_DIRECT_LIMIT = _FLINK.boolean(
    "jobmanager.memory.enable-jvm-direct-memory-limit", False, "Bound direct memory."
)

_T = "taskmanager.memory."
_N = "taskmanager.network.memory."
_TM = _Process.under(_T)
TM_FRAMEWORK_HEAP = _size(_T + "framework.heap.size", "128m")
TM_FRAMEWORK_OFF_HEAP = _size(_T + "framework.off-heap.size", "128m")
TM_TASK_HEAP = _maybe(_T + "task.heap.size")
TM_TASK_OFF_HEAP = _size(_T + "task.off-heap.size", "0 bytes")
TM_MANAGED = _maybe(_T + "managed.size", _T + "size")
TM_MANAGED_FRACTION = _fraction(_T + "managed.fraction", 0.4, _T + "fraction")
TM_NETWORK_MIN = _size(_T + "network.min", "64m", _N + "min")
TM_NETWORK_MAX = _maybe(_T + "network.max", _N + "max")
TM_NETWORK_FRACTION = _fraction(_T + "network.fraction", 0.1, _N + "fraction")


@attrs.frozen(kw_only=True)
class JobManagerMemory:
    """Parts of a JobManager's memory, in bytes; `process` is their sum."""

    process: int
    flink: int
    heap: int
    off_heap: int
    metaspace: int
    overhead: int
    direct_limit: bool

    @property
    def jvm_args(self) -> str:
        """The flags with which the start script runs Java."""
        direct = f" -XX:MaxDirectMemorySize={self.off_heap}" if self.direct_limit else ""
        return f"-Xmx{self.heap} -Xms{self.heap}{direct} -XX:MaxMetaspaceSize={self.metaspace}"

    @property
    def dynamic(self) -> dict[str, str]:
        """The options that the start script hands to the JobManager."""
        prefix = "jobmanager.memory."
        return {
            prefix + "heap.size": f"{self.heap}b",
            prefix + "off-heap.size": f"{self.off_heap}b",
            prefix + "jvm-metaspace.size": f"{self.metaspace}b",
            prefix + "jvm-overhead.min": f"{self.overhead}b",
            prefix + "jvm-overhead.max": f"{self.overhead}b",
        }


@attrs.frozen(kw_only=True)
class TaskManagerMemory:
    """Parts of a TaskManager's memory, in bytes; `process` is their sum."""

    process: int
    flink: int
    framework_heap: int
    framework_off_heap: int
    task_heap: int
    task_off_heap: int
    network: int
    managed: int
    metaspace: int
    overhead: int

    @property
    def jvm_args(self) -> str:
        """The flags with which Java is run."""
        heap = self.framework_heap + self.task_heap
        direct = self.framework_off_heap + self.task_off_heap + self.network
        return (
            f"-Xmx{heap} -Xms{heap} -XX:MaxDirectMemorySize={direct} "
            f"-XX:MaxMetaspaceSize={self.metaspace}"
        )

    @property
    def dynamic(self) -> dict[str, str]:
        """The memory options that the JobManager hands to a TaskManager."""
        prefix = "taskmanager.memory."
        return {
            prefix + "framework.heap.size": f"{self.framework_heap}b",
            prefix + "framework.off-heap.size": f"{self.framework_off_heap}b",
            prefix + "task.heap.size": f"{self.task_heap}b",
            prefix + "task.off-heap.size": f"{self.task_off_heap}b",
            prefix + "network.min": f"{self.network}b",
            prefix + "network.max": f"{self.network}b",
            prefix + "managed.size": f"{self.managed}b",
            prefix + "jvm-metaspace.size": f"{self.metaspace}b",
            prefix + "jvm-overhead.min": f"{self.overhead}b",
            prefix + "jvm-overhead.max": f"{self.overhead}b",
        }


def mebibytes(size: int) -> int:
    """Return the whole mebibytes of `size`: what a pod requests."""
    return size >> 20


def jobmanager(conf: FlinkConf) -> JobManagerMemory:
    """Derive a JobManager's memory (5.3).

    The long-deprecated `jobmanager.heap.size` counts as heap, as the start script in the pod takes it.

    Raises:
        BuildError: nothing is given to derive from, or the parts do not fit.
        ConfigValueError: an option cannot be read.
    """
    heap = conf.get(JM_HEAP)
    off_heap = conf.get(JM_OFF_HEAP)
    flink = conf.get(_JM.flink)
    process = conf.get(_JM.process)
    metaspace = conf.get(_JM.metaspace)
    if heap is not None:
        if flink is not None and not conf.has(JM_OFF_HEAP):
            off_heap = _rest(flink, "Total Flink Memory", {"JVM Heap": heap}, _JM.flink.key)
        elif flink is not None and heap + off_heap != flink:
            raise BuildError(
                f"JobManager memory: JVM Heap ({_shown(heap)}) and Off-heap ({_shown(off_heap)}) do not "
                f"add up to Total Flink Memory ({_shown(flink)}). Leave one of the three unset."
            )
        flink = heap + off_heap
        overhead, process = _from_flink(conf, _JM, "JobManager", flink)
    elif flink is not None:
        heap = _jobmanager_heap(flink, off_heap)
        overhead, process = _from_flink(conf, _JM, "JobManager", flink)
    elif process is not None:
        overhead, flink = _from_process(conf, _JM, "JobManager", process)
        heap = _jobmanager_heap(flink, off_heap)
    else:
        raise BuildError(
            "JobManager memory is not configured. Set spec.jobManager.resources with memory, or one of "
            f"{_JM.process.key}, {_JM.flink.key}, jobmanager.memory.heap.size."
        )
    return JobManagerMemory(
        process=process,
        flink=flink,
        heap=heap,
        off_heap=off_heap,
        metaspace=metaspace,
        overhead=overhead,
        direct_limit=conf.get(JM_DIRECT_LIMIT),
    )


def _jobmanager_heap(flink: int, off_heap: int) -> int:
    if flink <= off_heap:
        raise BuildError(
            f"JobManager memory: Total Flink Memory ({_shown(flink)}) leaves no heap beside Off-heap Memory "
            f"({_shown(off_heap)}). Give the JobManager more memory, at least 600m in all."
        )
    return flink - off_heap


def taskmanager(conf: FlinkConf, *, unlimited_network: bool = True) -> TaskManagerMemory:
    """Derive a TaskManager's memory (5.4).

    Args:
        conf: The cluster's configuration.
        unlimited_network: Whether network memory is unlimited by default, as from Flink 1.17 on;
            before, it was 1 GiB.

    Raises:
        BuildError: nothing is given to derive from, or the parts do not fit.
        ConfigValueError: an option cannot be read.
    """
    fixed = {
        "Framework Heap": conf.get(TM_FRAMEWORK_HEAP),
        "Framework Off-Heap": conf.get(TM_FRAMEWORK_OFF_HEAP),
        "Task Off-Heap": conf.get(TM_TASK_OFF_HEAP),
    }
    task_heap = conf.get(TM_TASK_HEAP)
    managed = conf.get(TM_MANAGED)
    flink = conf.get(_TM.flink)
    process = conf.get(_TM.process)
    network_range = _network_range(conf, unlimited_network=unlimited_network)
    overhead = None
    if task_heap is not None and managed is not None:
        network, flink = _fine_grained(
            conf, {**fixed, "Task Heap": task_heap, "Managed": managed}, network_range
        )
    else:
        if flink is None:
            if process is None:
                raise BuildError(
                    "TaskManager memory is not configured. Set spec.taskManager.resources with memory, or one "
                    f"of {_TM.process.key}, {_TM.flink.key}, or both {TM_TASK_HEAP.key} and {TM_MANAGED.key}."
                )
            overhead, flink = _from_process(conf, _TM, "TaskManager", process)
        if managed is None:
            managed = _multiply(flink, conf.get(TM_MANAGED_FRACTION))
        parts = {**fixed, "Managed": managed}
        if task_heap is not None:
            parts["Task Heap"] = task_heap
            network = _rest(flink, "Total Flink Memory", parts, _TM.flink.key)
            _check_network(network, network_range)
        else:
            network = _cap(_multiply(flink, conf.get(TM_NETWORK_FRACTION)), *network_range)
            task_heap = _rest(
                flink, "Total Flink Memory", {**parts, "Network": network}, _TM.process.key
            )
    if overhead is None or process is None:
        overhead, process = _from_flink(conf, _TM, "TaskManager", flink)
    return TaskManagerMemory(
        process=process,
        flink=flink,
        framework_heap=fixed["Framework Heap"],
        framework_off_heap=fixed["Framework Off-Heap"],
        task_heap=task_heap,
        task_off_heap=fixed["Task Off-Heap"],
        network=network,
        managed=managed,
        metaspace=conf.get(_TM.metaspace),
        overhead=overhead,
    )


def taskmanager_cores(conf: FlinkConf) -> float:
    """Return a TaskManager's cores: an explicit number, else one for each slot (2.1)."""
    cores = conf.get(opt.TM_CPU_CORES)
    if cores is not None:
        return cores
    amount = conf.get(opt.TM_CPU)
    return amount if amount > 0 else float(conf.get(opt.TASK_SLOTS))


def _network_range(conf: FlinkConf, *, unlimited_network: bool) -> tuple[int, int]:
    largest = conf.get(TM_NETWORK_MAX)
    if largest is None:
        largest = _UNLIMITED if unlimited_network else 2**30
    smallest = conf.get(TM_NETWORK_MIN)
    if smallest > largest:
        raise BuildError(
            f"TaskManager memory: {TM_NETWORK_MIN.key} ({_shown(smallest)}) is larger than "
            f"{TM_NETWORK_MAX.key} ({_shown(largest)}). Swap or drop them."
        )
    return smallest, largest


def _fine_grained(
    conf: FlinkConf, parts: dict[str, int], network_range: tuple[int, int]
) -> tuple[int, int]:
    flink = conf.get(_TM.flink)
    if flink is not None:
        network = _rest(flink, "Total Flink Memory", parts, _TM.flink.key)
        _check_network(network, network_range)
        return network, flink
    total = sum(parts.values())
    fraction = conf.get(TM_NETWORK_FRACTION)
    network = _cap(_multiply(total, fraction / (1 - fraction)), *network_range)
    return network, total + network


def _check_network(network: int, network_range: tuple[int, int]) -> None:
    smallest, largest = network_range
    if not smallest <= network <= largest:
        raise BuildError(
            f"TaskManager memory: what is left for Network Memory ({_shown(network)}) is not between "
            f"{_shown(smallest)} and {_shown(largest)}. Change {TM_NETWORK_MIN.key}, "
            f"{TM_NETWORK_MAX.key}, or one of the configured parts."
        )


def _from_process(
    conf: FlinkConf, options: _Process, component: str, process: int
) -> tuple[int, int]:
    """Return overhead and total Flink memory of a given process size."""
    metaspace = conf.get(options.metaspace)
    overhead = _cap(_multiply(process, conf.get(options.overhead_fraction)), *_range(conf, options))
    flink = process - metaspace - overhead
    if flink < 0:
        raise BuildError(
            f"{component} memory: JVM Metaspace ({_shown(metaspace)}) and JVM Overhead ({_shown(overhead)}) "
            f"exceed the Total Process Memory ({_shown(process)}). Give it more memory."
        )
    return overhead, flink


def _from_flink(conf: FlinkConf, options: _Process, component: str, flink: int) -> tuple[int, int]:
    """Return overhead and process size of a given total Flink memory (rule B)."""
    metaspace = conf.get(options.metaspace)
    process = conf.get(options.process)
    smallest, largest = _range(conf, options)
    if process is None:
        fraction = conf.get(options.overhead_fraction)
        overhead = _cap(_multiply(flink + metaspace, fraction / (1 - fraction)), smallest, largest)
        return overhead, flink + metaspace + overhead
    overhead = process - flink - metaspace
    if not smallest <= overhead <= largest:
        raise BuildError(
            f"{component} memory: Total Process Memory ({_shown(process)}) leaves {_shown(overhead)} for JVM "
            f"Overhead beside Total Flink Memory ({_shown(flink)}) and JVM Metaspace ({_shown(metaspace)}), "
            f"which is not between {_shown(smallest)} and {_shown(largest)}. Leave {options.process.key} or "
            "the parts of it unset."
        )
    return overhead, process


def _range(conf: FlinkConf, options: _Process) -> tuple[int, int]:
    smallest, largest = conf.get(options.overhead_min), conf.get(options.overhead_max)
    if smallest > largest:
        raise BuildError(
            f"{options.overhead_min.key} ({_shown(smallest)}) is larger than {options.overhead_max.key} "
            f"({_shown(largest)}). Swap or drop them."
        )
    return smallest, largest


def _rest(total: int, what: str, parts: dict[str, int], key: str) -> int:
    rest = total - sum(parts.values())
    if rest < 0:
        listed = ", ".join(f"{name} ({_shown(size)})" for name, size in parts.items())
        raise BuildError(
            f"{'JobManager' if key.startswith('job') else 'TaskManager'} memory: the sum of {listed} exceeds "
            f"the {what} ({_shown(total)}). Raise {key} or lower one of the parts."
        )
    return rest


def _multiply(size: int, fraction: float) -> int:
    return int(Decimal(size) * Decimal(repr(fraction)))


def _cap(size: int, smallest: int, largest: int) -> int:
    return max(min(size, largest), smallest)


def _shown(size: int) -> str:
    return quantity.flink_size_text(size) if size >= 0 else f"{size} bytes"

"""Where the configuration comes from: files of a directory, an overlay, the environment (`operations.md` 1.1).

Loading is a plain function, so is deciding about a reload; waiting between reloads is one small loop that
its caller owns.
"""

import asyncio
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path
from typing import Final

import attrs
import structlog

from flinkop.config import errors, flat_file, standard_file
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot

LOG_FILES = ("logback-console.xml", "log4j-console.properties")
"""Names of log files that clusters know, in the order in which they are mounted."""

Stamps = tuple[tuple[str, int, int, int], ...]

LOOK_SECONDS: Final = 2.0
"""Between two looks at the files; a change that has come to rest is in force after twice as long."""

_log = structlog.get_logger(__name__)


@attrs.frozen(eq=False)
class Loaded:
    """What the files say.

    Attributes:
        entries: The flat configuration, overlay included.
        log_files: Log files for clusters, name to content.
        warnings: Lines that were skipped, as sentences for the log.
        stamps: Of the files, taken before they were read; empty when they are not followed.
    """

    entries: dict[str, str]
    log_files: dict[str, str]
    warnings: tuple[str, ...] = ()
    stamps: Stamps = ()

    def same_as(self, other: "Loaded") -> bool:
        """Tell whether both mean the same, in whatever order and with whatever comments."""
        return self.entries == other.entries and self.log_files == other.log_files


def load(environ: Mapping[str, str]) -> Loaded:
    """Load the files that FLINK_CONF_DIR and CONF_OVERRIDE_DIR of `environ` name.

    Without FLINK_CONF_DIR the defaults of the package hold, which are those of the chart; an overlay is
    laid over them as well.

    Raises:
        ConfigFileError: a directory or its file is missing, unreadable or broken.
    """
    taken = stamps(environ)
    directory = environ.get("FLINK_CONF_DIR", "").strip()
    overlay = environ.get("CONF_OVERRIDE_DIR", "").strip()
    base = load_directory(Path(directory)) if directory else shipped()
    if not overlay:
        return attrs.evolve(base, stamps=taken)
    over = load_directory(Path(overlay))
    return Loaded(
        {**base.entries, **over.entries},
        {**base.log_files, **over.log_files},
        base.warnings + over.warnings,
        taken,
    )


def shipped() -> Loaded:
    """Return the defaults that come with the package."""
    folder = resources.files("flinkop.config.defaults")
    entries, _ = flat_file.parse((folder / flat_file.NAME).read_text(encoding="utf-8"))
    log_files = {
        name: (folder / name).read_text(encoding="utf-8")
        for name in LOG_FILES
        if (folder / name).is_file()
    }
    return Loaded(entries, log_files)


def load_directory(directory: Path) -> Loaded:
    """Load `flink-conf.yaml`, else `config.yaml`, and the log files of one directory.

    Raises:
        ConfigFileError: the directory or both files are missing, or the file is unreadable or broken.
    """
    if not directory.is_dir():
        raise errors.ConfigFileError(
            str(directory),
            "no such directory. Point FLINK_CONF_DIR or CONF_OVERRIDE_DIR to one with "
            f"{flat_file.NAME} or {standard_file.NAME}, or unset it for the built-in defaults.",
        )
    flat = directory / flat_file.NAME
    standard = directory / standard_file.NAME
    chosen = next((path for path in (flat, standard) if path.is_file()), None)
    if chosen is None:
        raise errors.ConfigFileError(
            str(directory), f"neither {flat_file.NAME} nor {standard_file.NAME} in it. Add one."
        )
    found = load_file(chosen)
    log_files = {
        name: _read(directory / name) for name in LOG_FILES if (directory / name).is_file()
    }
    return attrs.evolve(found, log_files=log_files)


def load_file(path: Path) -> Loaded:
    """Load one file, flat when it is called `flink-conf.yaml`, else as YAML.

    Raises:
        ConfigFileError: it is unreadable or broken.
    """
    if path.name != flat_file.NAME:
        entries = standard_file.parse(_read(path), path=str(path), legacy_lists=True)
        return Loaded(entries, {})
    entries, skipped = flat_file.parse(_read(path))
    warnings = tuple(
        f"{path}, line {line.line} is ignored: {line.reason}. Write 'key: value', or remove it."
        for line in skipped
    )
    return Loaded(entries, {}, warnings)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise errors.ConfigFileError(
            str(path), "not UTF-8. Save it in that encoding.", line=line
        ) from None
    except OSError as error:
        raise errors.ConfigFileError(
            str(path), f"{error.strerror}. Make it readable for the operator."
        ) from None


def open_snapshot(environ: Mapping[str, str]) -> tuple[Loaded, ConfigSnapshot]:
    """Load the files and make the first snapshot; any fault ends the start.

    Raises:
        ConfigError: a file is broken, or an option of the operator cannot be read.
    """
    loaded = load(environ)
    return loaded, ConfigSnapshot.make(FlinkConf(loaded.entries), loaded.log_files, environ)


def reload(environ: Mapping[str, str], loaded: Loaded) -> tuple[Loaded, ConfigSnapshot] | None:
    """Load the files again; None when they mean the same as `loaded` (`operations.md` 1.6).

    Raises:
        ConfigError: as in `open_snapshot`; keep what is in force then.
    """
    again = load(environ)
    if again.same_as(loaded):
        return None
    return again, ConfigSnapshot.make(FlinkConf(again.entries), again.log_files, environ)


async def follow(
    environ: Mapping[str, str],
    loaded: Loaded,
    interval: float,
    on_change: Callable[[ConfigSnapshot], None],
    *,
    look: float = LOOK_SECONDS,
) -> None:
    """Follow the files for ever; hand each new snapshot to `on_change`.

    The files' stamps are looked at every `look` seconds, and what they say is read as soon as a change of
    them has come to rest, so that a file is not read while somebody writes it; every `interval` seconds it
    is read in any case. A fault is logged once as long as it stays the same, and what is in force stays
    so. All of that is done on a thread, because the directory may be on a slow mount. The caller owns the
    task and cancels it.
    """
    loop = asyncio.get_running_loop()
    last_fault = ""
    read = before = loaded.stamps
    due = loop.time() + interval
    while True:
        await asyncio.sleep(min(look, max(0.0, due - loop.time())))
        now = await asyncio.to_thread(stamps, environ)
        at_rest, before = now == before, now
        if loop.time() < due and (now == read or not at_rest):
            continue
        read, due = now, loop.time() + interval
        try:
            changed = await asyncio.to_thread(reload, environ, loaded)
        except errors.ConfigError as error:
            if str(error) != last_fault:
                last_fault = str(error)
                _log.error(
                    "configuration not reloaded, the old one stays in force", error=last_fault
                )
            continue
        last_fault = ""
        if changed is not None:
            loaded, snapshot = changed
            _log.info("configuration reloaded", configuration=snapshot.default.masked())
            on_change(snapshot)


def stamps(environ: Mapping[str, str]) -> Stamps:
    """Return path, inode, size and time of change of all files that `load` reads.

    Links are followed, so that the exchange of a ConfigMap's directory by the kubelet shows.
    """
    found = []
    for variable in ("FLINK_CONF_DIR", "CONF_OVERRIDE_DIR"):
        directory = environ.get(variable, "").strip()
        for name in (flat_file.NAME, standard_file.NAME, *LOG_FILES) if directory else ():
            path = Path(directory) / name
            try:
                stat = path.stat()
            except OSError:
                continue
            found.append((str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)

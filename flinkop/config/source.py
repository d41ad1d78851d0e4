"""Where the configuration comes from: files of a directory, an overlay, the environment (`operations.md` 1.1).

Loading is a plain function, so is deciding about a reload; waiting between reloads is one small loop that
its caller owns.
"""

import asyncio
from collections.abc import Callable, Mapping
from importlib import resources
from pathlib import Path

import attrs
import structlog

from flinkop.config import errors, flat_file, standard_file
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.snapshot import ConfigSnapshot

LOG_FILES = ("logback-console.xml", "log4j-console.properties")
"""Names of log files that clusters know, in the order in which they are mounted."""

_log = structlog.get_logger(__name__)


@attrs.frozen(eq=False)
class Loaded:
    """What the files say.

    Attributes:
        entries: The flat configuration, overlay included.
        log_files: Log files for clusters, name to content.
        warnings: Lines that were skipped, as sentences for the log.
    """

    entries: dict[str, str]
    log_files: dict[str, str]
    warnings: tuple[str, ...] = ()

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
    directory = environ.get("FLINK_CONF_DIR", "").strip()
    overlay = environ.get("CONF_OVERRIDE_DIR", "").strip()
    base = load_directory(Path(directory)) if directory else shipped()
    if not overlay:
        return base
    over = load_directory(Path(overlay))
    return Loaded(
        {**base.entries, **over.entries},
        {**base.log_files, **over.log_files},
        base.warnings + over.warnings,
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
    if flat.is_file():
        entries, skipped = flat_file.parse(_read(flat))
        warnings = tuple(
            f"{flat}, line {line.line} is ignored: {line.reason}. Write 'key: value', or remove it."
            for line in skipped
        )
    elif standard.is_file():
        entries = standard_file.parse(_read(standard), path=str(standard), legacy_lists=True)
        warnings = ()
    else:
        raise errors.ConfigFileError(
            str(directory), f"neither {flat_file.NAME} nor {standard_file.NAME} in it. Add one."
        )
    log_files = {
        name: _read(directory / name) for name in LOG_FILES if (directory / name).is_file()
    }
    return Loaded(entries, log_files, warnings)


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
) -> None:
    """Look at the files every `interval` seconds, for ever; hand each new snapshot to `on_change`.

    A fault is logged once as long as it stays the same, and what is in force stays so. Reading is done on
    a thread, because the directory may be on a slow mount. The caller owns the task and cancels it.
    """
    last_fault = ""
    while True:
        await asyncio.sleep(interval)
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

"""Structured logs: one line per event, for people on a terminal, as JSON elsewhere.

`configure` once at start. Code logs with `structlog.stdlib.get_logger(__name__)`; what a reconcile is
about (`kind`, `namespace`, `name`, `generation`, `reconcile_id`) is bound with `structlog.contextvars` and
appears in each line. Lines of the standard library's `logging` (asyncio, aiohttp) take the same way.

Console:  2026-01-31 13:08:29,222 f.runtime.controller  [INFO ][default/my-job] message key=value
JSON:     {"timestamp": "2026-01-31T13:08:29.222Z", "level": "info", "logger": "…", "event": "[default/my-job] message", …}

In both, the text has `[<namespace>/<name>] ` directly before the message (behaviour.md 1.1, last
paragraph): scripts that search the reference's log for `.default/my-job. Resource fully reconciled` work here.
Values under keys that Flink counts as sensitive, and credentials inside texts, are masked.
"""

import functools
import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["console", "json", "auto"]

_CONTEXT_IN_CONSOLE = ("kind", "generation", "reconcile_id")
_QUIET: Mapping[str, int] = {
    # They print whole bodies or a line for each request below these levels.
    "kubernetes_asyncio": logging.INFO,
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.INFO,
}
_COLOURS: Mapping[str, str] = {
    "debug": "\x1b[2m",
    "warning": "\x1b[33m",
    "error": "\x1b[31m",
    "critical": "\x1b[31;1m",
}
_RESET = "\x1b[0m"
# Control characters of a remote text must neither forge a line nor move the cursor.
_VISIBLE = {code: f"\\x{code:02x}" for code in (*range(32), 127)} | {9: " ", 10: "\\n", 13: "\\r"}

MASK = "******"

# The words by which Flink hides values in its own web interface, and what Kubernetes adds.
_SENSITIVE = re.compile(
    r"password|passwd|secret|token|apikey|api-key|api_key|access-key|accesskey|account\.key|http\.header"
    r"|auth-params|service-key|basic-auth|jaas\.config|http-headers|authorization|credential|private-key",
    re.IGNORECASE,
)
_IN_TEXT = (
    re.compile(r"(?P<keep>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{6,}"),
    re.compile(r"(?P<keep>://[^/\s:@]+:)[^/\s@]+(?=@)"),
    re.compile(
        r"(?P<keep>[\w.-]*(?:password|passwd|secret|token|api-?key|access-?key|account\.key)[\w.-]*"
        r"[\"']?\s*[:=]\s*[\"']?)[^\s\"',;}&]+",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<keep>-----BEGIN [A-Z ]*PRIVATE KEY-----).*?(?=-----END|\Z)", re.DOTALL),
)
_CHEAP = re.compile(
    r"bearer|basic|://|passw|secret|token|key", re.IGNORECASE
)  # most texts have none of these
_DEEPEST = 6
# Keys whose values are ours, on nearly every line: not searched, for speed.
_OURS = frozenset(
    {
        *("timestamp", "level", "logger", "_record", "_from_structlog", "_logger"),
        *("kind", "namespace", "name", "generation", "reconcile_id"),
    }
)


def configure(
    fmt: Format = "auto",
    level: str = "INFO",
    *,
    levels: Mapping[str, str] | None = None,
    stream: TextIO | None = None,
) -> None:
    """Set up logging for the whole process; may be called again.

    Args:
        fmt: `console`, `json`, or `auto`: console when `stream` is a terminal, else JSON.
        level: Least level to show: DEBUG, INFO, WARNING, ERROR or CRITICAL, in any case; also the
            reference's TRACE, WARN, FATAL and OFF.
        levels: Least level by logger name, such as `{"flinkop.kube": "DEBUG"}`.
        stream: Where lines go; standard output by default.

    Raises:
        ValueError: If a level or the format is unknown.
    """
    root_level = parse_level(level)
    own_levels = {name: parse_level(text) for name, text in (levels or {}).items()}
    if fmt not in ("console", "json", "auto"):
        msg = f"Unknown log format {fmt!r}; use console, json or auto."
        raise ValueError(msg)
    out = sys.stdout if stream is None else stream
    console = fmt == "console" or (fmt == "auto" and out.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(
            fmt="%Y-%m-%d %H:%M:%S.%f" if console else "iso", utc=not console
        ),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask_event,
        name_resource,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                ConsoleRenderer(colours=out.isatty()) if console else render_json,
            ],
        )
    )
    _install(handler, root_level, own_levels)


def parse_level(text: str) -> int:
    """Return the number of the level called `text`.

    Raises:
        ValueError: If there is no such level.
    """
    names = logging.getLevelNamesMapping() | {"TRACE": logging.DEBUG, "OFF": logging.CRITICAL + 10}
    number = names.get(text.strip().upper())
    if number is None:
        msg = f"Unknown log level {text!r}; use DEBUG, INFO, WARNING, ERROR or CRITICAL."
        raise ValueError(msg)
    return number


@functools.lru_cache(maxsize=1024)
def is_sensitive(key: str) -> bool:
    """Tell whether the value under `key` must not be shown."""
    return _SENSITIVE.search(key) is not None


def mask_text(text: str) -> str:
    """Return `text` with the credentials inside it masked."""
    if _CHEAP.search(text) is None:
        return text
    for pattern in _IN_TEXT:
        text = pattern.sub(rf"\g<keep>{MASK}", text)
    return text


def mask_value(value: Any, depth: int = 0) -> Any:
    """Return `value` with secrets masked in texts, mappings and sequences, a few levels deep."""
    if isinstance(value, str):
        return mask_text(value)
    if depth >= _DEEPEST:
        return value
    if isinstance(value, Mapping):
        return {key: mask_pair(str(key), inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [mask_value(inner, depth + 1) for inner in value]
    if isinstance(value, BaseException):
        return mask_text(f"{type(value).__name__}: {value}")
    return value


def mask_pair(key: str, value: Any, depth: int = 0) -> Any:
    """Return `value` masked wholly when `key` is sensitive, else as `mask_value` does."""
    if value is not None and not isinstance(value, bool | int | float) and is_sensitive(key):
        return MASK
    return mask_value(value, depth)


def mask_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Mask one log event in place; a structlog processor."""
    for key, value in event.items():
        if key not in _OURS:
            event[key] = mask_pair(key, value)
    return event


def name_resource(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Put `[<namespace>/<name>] ` before the message when a resource is bound."""
    name = event.get("name")
    if name:
        namespace = event.get("namespace")
        key = f"{namespace}/{name}" if namespace else name
        event["event"] = f"[{key}] {event.get('event', '')}"
    return event


def render_json(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """Render one event as one line of JSON, the fixed keys first."""
    first = {
        key: event.pop(key) for key in ("timestamp", "level", "logger", "event") if key in event
    }
    return msgspec.json.encode({**first, **event}, enc_hook=repr).decode()


class ConsoleRenderer:
    """Renders one event as a line that a person reads, with the traceback below it."""

    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def __call__(self, _logger: WrappedLogger, _method: str, event: EventDict) -> str:
        """Render `event`."""
        level = str(event.pop("level", "info"))
        text = str(event.pop("event", "")).translate(_VISIBLE)
        time = str(event.pop("timestamp", ""))[:23].replace(".", ",")
        logger = _abbreviate(str(event.pop("logger", "")))
        below = [str(event.pop(key)) for key in ("stack", "exception") if event.get(key)]
        if event.pop("name", None):
            event.pop("namespace", None)
        else:
            text = " " + text
        head = f"{time} {logger:<30} [{_level_word(level):<5}]"
        tail = "".join(f" {key}={_value(event[key])}" for key in _order(event))
        if self._colours:
            colour = _COLOURS.get(level, "")
            line = f"{colour}{head}{text}{_RESET if colour else ''}\x1b[2m{tail}{_RESET}"
        else:
            line = f"{head}{text}{tail}"
        return "\n".join([line, *below])


def _install(handler: logging.Handler, level: int, levels: Mapping[str, int]) -> None:
    root = logging.getLogger()
    for old in list(root.handlers):
        if getattr(old, "flinkop", False):
            root.removeHandler(old)
    handler.flinkop = True  # type: ignore[attr-defined] # our mark, to find it again
    root.addHandler(handler)
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(level, least))
    for name, own in levels.items():
        logging.getLogger(name).setLevel(own)
    logging.captureWarnings(capture=True)
    # Looked up for each line otherwise, and shown by no format of ours.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def _level_word(level: str) -> str:
    return {"warning": "WARN", "critical": "FATAL"}.get(level, level.upper())


def _abbreviate(logger: str) -> str:
    """Shorten each package but the last two parts to its first letter."""
    parts = logger.split(".")
    return ".".join([*(part[:1] for part in parts[:-2]), *parts[-2:]])


def _order(event: EventDict) -> list[str]:
    own = [key for key in event if key not in _CONTEXT_IN_CONSOLE]
    return own + [key for key in _CONTEXT_IN_CONSOLE if key in event]


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = text.translate(_VISIBLE)
    return f'"{text}"' if " " in text or not text else text

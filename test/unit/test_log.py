"""Log lines as people and scripts see them."""

import asyncio
import io
import json
import logging
import re

import pytest
import structlog

from flinkop import log


@pytest.fixture
def restored():
    """Leave logging as it was."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in list(root.handlers):
        if handler not in handlers:
            root.removeHandler(handler)
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = True
    structlog.reset_defaults()
    for name in ("kubernetes_asyncio", "aiohttp.access", "asyncio", "flinkop.kube"):
        logging.getLogger(name).setLevel(logging.NOTSET)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def lines(restored):
    """Configure with any arguments; returns a function that gives the lines written so far."""

    def configure(*args, stream=None, **kwargs):
        stream = stream or io.StringIO()
        log.configure(*args, stream=stream, **kwargs)
        return lambda: stream.getvalue().splitlines()

    return configure


def speak(event="Resource fully reconciled, nothing to do", **fields):
    with structlog.contextvars.bound_contextvars(
        kind="FlinkDeployment",
        namespace="default",
        name="flink-example-statemachine",
        generation=3,
        reconcile_id="0badcafe",
    ):
        structlog.stdlib.get_logger("flinkop.stages.pipeline").info(event, **fields)


def fail(hidden, message="bad"):
    local = hidden * 2
    raise ValueError(message[: len(message) + len(local)])


NEEDLE = re.compile(".default/flink-example-statemachine. Resource fully reconciled, nothing to do")


@pytest.mark.parametrize("fmt", ["console", "json"])
def test_scripts_find_the_line(lines, fmt):
    """The search that works on the reference's log works in both formats (behaviour.md 1.1)."""
    written = lines(fmt)
    speak()
    assert NEEDLE.search(written()[0])


def test_console_line_has_the_references_shape(lines):
    """Time, logger, level, resource, message, then the fields."""
    written = lines("console")
    speak(step="deploy", text="two words")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} f\.stages\.pipeline +\[INFO \]"
        r"\[default/flink-example-statemachine\] Resource fully reconciled, nothing to do"
        r' step=deploy text="two words" kind=FlinkDeployment generation=3 reconcile_id=0badcafe',
        written()[0],
    )


def test_json_line_has_all_fields(lines):
    """Each field is a key of its own besides the text."""
    written = lines("json")
    speak(step="deploy", odd=object)
    line = json.loads(written()[0])
    assert line["event"].startswith("[default/flink-example-statemachine] Resource fully")
    assert (line["namespace"], line["name"]) == ("default", "flink-example-statemachine")
    assert (line["level"], line["logger"]) == ("info", "flinkop.stages.pipeline")
    assert (line["generation"], line["reconcile_id"]) == (3, "0badcafe")
    assert line["timestamp"].endswith("Z")


def test_auto_means_console_on_a_terminal_only(lines):
    """`auto` looks at the stream."""
    terminal, file = Terminal(), io.StringIO()
    written = lines("auto", stream=terminal)
    speak()
    assert "[INFO ][default/" in written()[0]
    written = lines("auto", stream=file)
    speak()
    assert written()[0].startswith("{")


def test_configuring_twice_writes_once(lines):
    """A second call replaces the first."""
    first = lines("json")
    second = lines("json")
    speak()
    assert (len(first()), len(second())) == (0, 1)


def test_standard_logging_takes_the_same_way(lines):
    """Lines of asyncio and aiohttp come out in our format with their arguments filled in."""
    written = lines("json")
    logging.getLogger("aiohttp.server").error("lost %s", "peer")
    line = json.loads(written()[0])
    assert (line["event"], line["logger"], line["level"]) == (
        "lost peer",
        "aiohttp.server",
        "error",
    )


async def test_the_loops_complaints_are_logged(lines):
    """What asyncio reports about a forgotten error arrives with its traceback."""
    written = lines("json")
    loop = asyncio.get_running_loop()
    loop.call_exception_handler({"message": "boom", "exception": ValueError("inside")})
    line = json.loads(written()[0])
    assert line["logger"] == "asyncio"
    assert "ValueError: inside" in line["exception"]


def test_levels(lines):
    """The root level and single loggers' levels are obeyed; chatty libraries stay quiet."""
    written = lines("json", "info", levels={"flinkop.kube": "debug"})
    structlog.stdlib.get_logger("flinkop.runtime").debug("no")
    structlog.stdlib.get_logger("flinkop.kube.client").debug("yes")
    logging.getLogger("kubernetes_asyncio.rest").debug("a body")
    assert [json.loads(line)["event"] for line in written()] == ["yes"]
    written = lines("json", "DEBUG")
    logging.getLogger("kubernetes_asyncio.rest").debug("a body")
    assert written() == []


@pytest.mark.parametrize(("text", "number"), [("warn", 30), (" TRACE ", 10), ("OFF", 60)])
def test_the_references_level_names_are_known(text, number):
    """Names of its logging framework are accepted."""
    assert log.parse_level(text) == number


def test_unknown_settings_are_named(lines):
    """A wrong level or format is refused with the choices."""
    with pytest.raises(ValueError, match="use DEBUG, INFO"):
        lines("json", "loud")
    with pytest.raises(ValueError, match="console, json or auto"):
        lines("xml")


def test_tracebacks_stand_below_the_line(lines):
    """On the console the traceback follows; no local variables in it."""
    written = lines("console")
    try:
        fail("s3cr3t")
    except ValueError:
        structlog.stdlib.get_logger("x").exception("failed")
    text = "\n".join(written())
    assert "Traceback" in text
    assert "ValueError: bad" in text
    assert "s3cr3ts3cr3t" not in text


@pytest.mark.parametrize("fmt", ["console", "json"])
def test_secrets_are_masked(lines, fmt):
    """Sensitive keys and credentials inside texts never reach the log."""
    written = lines(fmt)
    log_ = structlog.stdlib.get_logger("x")
    log_.info(
        "call with Bearer abcdefSECRET123",
        api_key="SECRET",
        conf={"s3.secret-key": "SECRET"},
    )
    log_.info(
        "GET http://user:SECRET@host/x and s3.access-key: SECRET", headers=[{"token": "SECRET"}]
    )
    logging.getLogger("y").warning("token=%s", "SECRET")
    try:
        fail("", "fs.azure.account.key.x: SECRET")
    except ValueError:
        log_.exception("failed")
    assert "SECRET" not in "\n".join(written())
    assert log.MASK in "\n".join(written())


def test_ordinary_texts_stay(lines):
    """Masking leaves other texts alone."""
    for text in ("key is missing", "see https://host/path", "the token bucket is empty"):
        assert log.mask_text(text) == text


def test_a_text_cannot_forge_a_line(lines):
    """Line breaks and escapes of a remote text are shown, not obeyed."""
    written = lines("console")
    structlog.stdlib.get_logger("x").info("one\ntwo\x1b[2J", why="a\rb")
    assert len(written()) == 1
    assert "one\\ntwo\\x1b[2J" in written()[0]


def test_colours_only_on_a_terminal(lines):
    """A terminal gets colours by level."""
    terminal = Terminal()
    written = lines("console", stream=terminal)
    structlog.stdlib.get_logger("x").error("red")
    assert "\x1b[31m" in written()[0]

"""What a standalone JobManager's command line says, read as the image's entry point reads it.

    jobmanager [-D key=value]...                       a session cluster
    standalone-job [options] [--] [program arguments]  an application

Options end at the first word that is none, or at `--`. A long option may be cut short while it is clear.
"""

from collections.abc import Sequence

from attrs import define, field

JOB_ID = "$internal.pipeline.job-id"
SAVEPOINT = "execution.savepoint.path"
IGNORE_UNCLAIMED = "execution.savepoint.ignore-unclaimed-state"

_FLAG = ("allowNonRestoredState", "n")
_WITH_VALUE = {
    "fromSavepoint": "s", "host": "h", "jars": "jars", "job-classname": "j", "job-id": "jid", "webui-port": "r",
}  # fmt: skip
_KEYS = {"job-id": JOB_ID, "fromSavepoint": SAVEPOINT}
_NAMES = (*_WITH_VALUE, _FLAG[0])


class WrongCommandError(Exception):
    """The container would end at once."""


@define
class CommandLine:
    is_application: bool
    conf: dict[str, str] = field(factory=dict)
    """What it adds to the configuration."""
    main: str | None = None
    arguments: list[str] = field(factory=list)


def read(args: Sequence[str], version: tuple[int, int]) -> CommandLine:
    """Read a container's arguments.

    Raises:
        WrongCommandError: no JobManager would come of it.
    """
    if not args or args[0] not in ("jobmanager", "standalone-job"):
        raise WrongCommandError(f"not a standalone JobManager: {list(args)}")
    found = CommandLine(args[0] == "standalone-job")
    rest = list(args[1:])
    if not found.is_application and version < (1, 15):
        if rest:
            found.conf["jobmanager.rpc.address"] = rest[0]
        return found
    while rest:
        word = rest.pop(0)
        if word == "--":
            break
        if word.startswith("-D"):
            _dynamic(found, word.removeprefix("-D") or _value(rest, word))
        elif word.startswith("-") and (name := _option(word)) is not None:
            _take(found, name, rest, word)
        else:
            rest.insert(0, word)
            break
    found.arguments = rest
    return found


def _option(word: str) -> str | None:
    name = word.lstrip("-").partition("=")[0]
    if not word.startswith("--"):
        short = {letters: long for long, letters in _WITH_VALUE.items()} | {_FLAG[1]: _FLAG[0]}
        if name in short:
            return short[name]
    fitting = [one for one in _NAMES if one.startswith(name)]
    if name in fitting:
        return name
    if len(fitting) > 1:
        raise WrongCommandError(f"Ambiguous option: '{word}' (could be: {', '.join(fitting)})")
    return fitting[0] if fitting else None


def _take(found: CommandLine, name: str, rest: list[str], word: str) -> None:
    if name == _FLAG[0]:
        found.conf[IGNORE_UNCLAIMED] = "true"
        return
    _, given, value = word.partition("=")
    value = value if given else _value(rest, word)
    if name == "job-classname":
        found.main = value
    elif name in _KEYS:
        found.conf[_KEYS[name]] = value


def _dynamic(found: CommandLine, pair: str) -> None:
    key, _, value = pair.partition("=")
    found.conf[key] = value


def _value(rest: list[str], word: str) -> str:
    if not rest:
        raise WrongCommandError(f"Missing argument for option: {word}")
    return rest.pop(0)

"""Showing a story: a live picture on a terminal, plain lines elsewhere."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hack.demo.story import Line, Story

_LAST_LINES = 14
COLOURS = {
    "STABLE": "bold green",
    "RUNNING": "green",
    "DEPLOYED": "cyan",
    "UPGRADING": "yellow",
    "CREATED": "yellow",
    "FAILED": "bold red",
}


class View(Protocol):
    """Told after each change of the story."""

    def show(self, story: Story) -> None:
        """Bring what is shown up to date."""
        ...


class Lines:
    """Prints each line of the story once."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._printed = 0

    def show(self, story: Story) -> None:
        """Print what is new."""
        for line in story.lines[self._printed :]:
            self._console.print(plain(line), markup=False, highlight=False, soft_wrap=True)
        self._printed = len(story.lines)


class Picture:
    """Redraws one picture in place."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, story: Story) -> None:
        """Redraw."""
        self._live.update(picture(story))


@contextmanager
def _live(console: Console) -> Iterator[View]:
    with Live(console=console, refresh_per_second=10) as live:
        yield Picture(live)


@contextmanager
def _lines(console: Console) -> Iterator[View]:
    yield Lines(console)


def opened(console: Console) -> AbstractContextManager[View]:
    """The view that fits where the output goes."""
    return _live(console) if console.is_terminal else _lines(console)


def plain(line: Line) -> str:
    """One line of the story."""
    return f"{line.seconds:7.2f} s  {line.about:<32} {line.text}"


def coloured(state: str) -> Text:
    """A state in its colour."""
    return Text(state or "-", style=COLOURS.get(state, ""))


def picture(story: Story) -> RenderableType:
    """State above, objects and conditions in the middle, what happened below."""
    return Group(
        Panel(state(story), title=f"FlinkDeployment {story.name}"), objects(story), told(story)
    )


def state(story: Story) -> RenderableType:
    """The resource's own words about itself."""
    status = story.status
    job = status.get("jobStatus") or {}
    table = Table.grid(padding=(0, 3))
    table.add_row("lifecycle", coloured(status.get("lifecycleState", "")), f"{story.clock():.1f} s")
    table.add_row("JobManager", coloured(status.get("jobManagerDeploymentStatus", "")))
    table.add_row("job", coloured(job.get("state", "")), job.get("jobId") or "")
    for condition in status.get("conditions") or []:
        words = f"{condition.get('status', '')}  {condition.get('reason', '')}"
        table.add_row(condition.get("type", ""), words, condition.get("message", ""))
    if status.get("error"):
        table.add_row("error", Text(str(status["error"]), style="red"))
    return table


def objects(story: Story) -> Table:
    """What exists for it."""
    table = Table(title="objects", title_justify="left", box=None, padding=(0, 3))
    for about, words in sorted(story.objects.items()):
        kind, _, name = about.partition(" ")
        table.add_row(kind, name, words)
    return table


def told(story: Story) -> RenderableType:
    """The last lines of the story."""
    lines = [Text(plain(line)) for line in story.lines[-_LAST_LINES:]]
    return Panel(Group(*lines), title="what happened")

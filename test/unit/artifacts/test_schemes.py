"""Fetchers by scheme."""

import importlib.metadata

import pytest

from flinkop.artifacts import errors
from flinkop.artifacts.schemes import GROUP, Fetchers


class Hdfs:
    """A fetcher that somebody else wrote."""

    async def fetch(self, source, sink):
        """As `Fetcher.fetch`."""


@pytest.fixture
def plugged(monkeypatch):
    """Entry points of an installed package: one that works, one that does not."""
    points = {
        "hdfs": importlib.metadata.EntryPoint("hdfs", f"{__name__}:Hdfs", GROUP),
        "ftp": importlib.metadata.EntryPoint("ftp", "no_such_module:Ftp", GROUP),
    }
    asked = []

    def entry_points(*, group, name):
        assert group == GROUP
        asked.append(name)
        return [points[name]] if name in points else []

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
    monkeypatch.setattr("importlib.metadata.EntryPoint.load", load)
    return asked


def load(point):
    """Load what the test's entry points name."""
    if point.name == "hdfs":
        return Hdfs
    raise ModuleNotFoundError("No module named 'no_such_module'")


async def test_own_ones_first(plugged):
    """A scheme of this package is not looked up elsewhere, and its fetcher is made once."""
    fetchers = Fetchers({"file": Hdfs})
    assert await fetchers.get("file", "x") is await fetchers.get("file", "x")
    assert plugged == []


async def test_an_entry_point(plugged):
    """A scheme of another package is found when it is first asked for."""
    fetchers = Fetchers({})
    made = await fetchers.get("hdfs", "x")
    assert isinstance(made, Hdfs)
    assert await fetchers.get("hdfs", "x") is made
    assert plugged == ["hdfs"]


async def test_one_that_does_not_load(plugged):
    """The error names the plug-in and what is wrong with it."""
    with pytest.raises(errors.NoFetcher, match=r"no_such_module:Ftp, does not load: No module"):
        await Fetchers({}).get("ftp", "x")


async def test_no_fetcher(plugged):
    """The error says what can be read, and how that grows."""
    with pytest.raises(errors.NoFetcher, match=r"Use one of file, or install.*flinkop\.artifacts"):
        await Fetchers({"file": Hdfs}).get("gopher", "x")

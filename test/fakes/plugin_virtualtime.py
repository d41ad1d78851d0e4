"""Pytest hooks that give tests marked `virtual_time` a `VirtualTimeLoop`, all others the usual loop.

A conftest.py takes part by importing the two hooks:

    from fakes.plugin_virtualtime import pytest_asyncio_loop_factories, pytest_configure

Imported rather than named in `pytest_plugins`, which pytest accepts only in the topmost conftest.py.
"""

import asyncio

from fakes.virtualtime import VirtualTimeLoop


def pytest_configure(config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", "virtual_time: the event loop's time jumps to the next timer; no real waiting"
    )


def pytest_asyncio_loop_factories(config, item):
    """Choose the loop of one test."""
    if item.get_closest_marker("virtual_time") is not None:
        return {"virtual": VirtualTimeLoop}
    return {"asyncio": asyncio.new_event_loop}

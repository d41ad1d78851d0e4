"""Configuration: what a cluster reads from its ConfigMap, in both file formats."""

from pathlib import Path

import pytest
import yaml
from flinksim import conf, settings

GOLDEN = Path(__file__).parents[2] / "golden"
MAPS = sorted(GOLDEN.glob("v*_*/*/configmap-flink-config-*.yaml"))


def read(path):
    body = yaml.safe_load(path.read_text())
    name = body["metadata"]["name"].removeprefix("flink-config-")
    return settings.read("ns", name, body["data"])


def test_there_are_maps():
    """The tests below have something to read."""
    assert len(MAPS) > 50


@pytest.mark.parametrize(
    "path", MAPS, ids=lambda path: f"{path.parent.parent.name}/{path.parent.name}"
)
def test_golden_maps(path):
    """Kind, version, high availability and id are read from every recorded ConfigMap."""
    found = read(path)
    version, case = path.parent.parent.name, path.parent.name
    assert f"v{found.version[0]}_{found.version[1]}" == version
    assert found.is_application is ("session" not in case)
    assert (found.job_id is not None) is found.is_application
    assert found.ha is (case.endswith("-ha") or "high-availability.type" in found.conf)
    assert found.parallelism >= 1
    assert found.conf["kubernetes.cluster-id"] == found.name


def test_texts_stay_texts():
    """An id of digits and a version like 1.20 are not numbers."""
    body = "$internal:\n  pipeline:\n    job-id: 0012\nx: 1.20\nlist:\n- a\n- b\n"
    assert conf.parse({"config.yaml": body}) == {
        "$internal.pipeline.job-id": "0012",
        "x": "1.20",
        "list": "a;b",
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10 s", 10), ("5min", 300), ("250", 0.25), ("1 h", 3600), ("2 d", 172800), ("100ms", 0.1)],
)
def test_durations(text, seconds):
    """Durations are read as Flink reads them: a bare number is milliseconds."""
    assert conf.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "soon", "1 fortnight", "-1 s"])
def test_wrong_durations(text):
    """What is no duration is refused."""
    with pytest.raises(ValueError, match="not a duration"):
        conf.seconds(text)


def test_overrides():
    """Parallelism overrides are read from the map's text."""
    assert conf.overrides("aa:2,bb:4") == {"aa": 2, "bb": 4}
    assert conf.overrides("") == {}


@pytest.mark.parametrize(
    ("version", "forced", "old"),
    [
        ("v1_14", False, True),
        ("v1_15", False, False),
        ("v1_15", True, True),
        ("v1_16", True, False),
    ],
)
def test_layout_of_ha(version, forced, old):
    """The old layout is 1.14's, and 1.15's on request."""
    flat = {
        "$internal.flink.version": version,
        "high-availability.use-old-ha-services": str(forced).lower(),
    }
    assert settings.Settings("ns", "a", flat).old_ha_layout is old

"""Records on disk decide what a collection removes."""

import pytest
from fakes.controlplane import ControlPlaneError, processes, records

_GONE = processes.Process(pid=1, started="never")


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FLINKOP_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def record(tmp_path):
    """A cluster whose process is gone, with something on disk."""
    workdir = tmp_path / "work"
    (workdir / "etcd").mkdir(parents=True)
    made = records.Record("one", str(workdir), {"api": 1}, _GONE)
    made.save()
    return made


def test_read_gives_what_was_saved(record):
    """A record survives the disk."""
    assert records.read("one") == record
    assert records.all_records() == [record]


def test_orphans_are_collected_once(record, tmp_path):
    """What a killed run left is removed, files and record, and then there is nothing to do."""
    assert records.collect() == ["one"]
    assert not (tmp_path / "work").exists()
    assert records.collect() == []


def test_kept_and_owned_clusters_stay(record):
    """A cluster that was asked to stay, or whose process lives, is not an orphan."""
    assert not record.keep().orphaned
    assert not records.Record("two", "/nowhere", {}, processes.current()).orphaned
    assert records.collect() == []


def test_a_half_written_record_is_no_record(record, tmp_path):
    """Garbage in the directory harms nobody."""
    (tmp_path / "cache" / "run" / "bad.json").write_text('{"name": "ba')
    assert records.all_records() == [record]


@pytest.mark.parametrize("name", ["", "../x", "A", "-a", "a-", "a" * 41, "a b"])
def test_names_that_could_escape_are_refused(name):
    """Names end up in paths, so they are plain."""
    with pytest.raises(ControlPlaneError, match="use up to 40"):
        records.check_name(name)

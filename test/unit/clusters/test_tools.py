"""A binary is used only when it is what it should be."""

import pytest
from fakes.controlplane import ports, tools

_ETCD = next(tool for tool in tools.TOOLS if tool.name == "etcd")


def _program(path, says, code=0):
    path.write_text(f"#!/bin/sh\necho '{says}'\nexit {code}\n")
    path.chmod(0o755)
    return path


def test_pins_are_read_from_the_module_file():
    """Every tool has a pinned version, etcd at least 3.6 (streaming lists need it)."""
    assert all(tool.pinned for tool in tools.TOOLS)
    assert tuple(map(int, _ETCD.pinned.split(".")[:2])) >= (3, 6)


@pytest.mark.parametrize(("version", "fits"), [("3.6.0", True), ("3.5.9", False), ("", False)])
def test_path_may_offer_another_patch_release(version, fits):
    """A binary from PATH has to be of the pinned minor."""
    assert _ETCD.accepts(version) is fits


def test_examine(tmp_path):
    """The version is what the program says when it runs."""
    found = tools.Binary.examine(_ETCD, _program(tmp_path / "etcd", "etcd Version: 3.6.9"))
    assert found
    assert found.version == "3.6.9"
    assert found.intact()


def test_examine_refuses_what_does_not_run(tmp_path):
    """A file that is cut off, fails or is silent is no binary."""
    (tmp_path / "cut").write_bytes(b"\x7fELF")
    assert tools.Binary.examine(_ETCD, tmp_path / "cut") is None
    assert tools.Binary.examine(_ETCD, _program(tmp_path / "bad", "3.6.9", code=1)) is None
    assert tools.Binary.examine(_ETCD, _program(tmp_path / "mute", "hello")) is None
    assert tools.Binary.examine(_ETCD, tmp_path / "absent") is None


def test_manifest_vouches_only_for_intact_files(tmp_path):
    """One changed byte, or a broken manifest, and everything is made anew."""
    program = _program(tmp_path / "etcd", "3.6.9")
    binary = tools.Binary.examine(_ETCD, program)
    manifest = tmp_path / "manifest.json"
    assert binary
    assert tools.read_manifest(manifest) == {}
    tools.write_manifest(manifest, {"etcd": binary})
    assert tools.read_manifest(manifest) == {"etcd": binary}
    program.write_text(program.read_text() + "#")
    assert tools.read_manifest(manifest) == {}
    manifest.write_text("{")
    assert tools.read_manifest(manifest) == {}


def test_ports_are_free_and_distinct():
    """Chosen ports differ from each other and from those that others hold."""
    first = ports.free(6, set())
    second = ports.free(6, set(first))
    assert len({*first, *second}) == 12

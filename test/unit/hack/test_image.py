"""The image is packed the same way each time, and does what its entrypoint says."""

import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

import pytest
from fakes.programs import ROOT

from hack.image import archive, rootfs, sbom

ENTRYPOINT = ROOT / "hack" / "image" / "docker-entrypoint.sh"
OWN = f"{rootfs.SITE}/flinkop/cli.py"
LIBRARY = f"{rootfs.SITE}/attrs/__init__.py"


@pytest.fixture
def files(tmp_path):
    """A root file system with something for each layer."""
    target = tmp_path / "rootfs"
    for name in (OWN, LIBRARY, "bin/dash", "opt/flink/conf/x"):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(name)
    (target / "bin/sh").symlink_to("dash")
    (target / "bin/hard").hardlink_to(target / "bin/dash")
    (target / "bin/dash").chmod(0o755)
    return target


def packed(files, tmp_path, name="image.tar"):
    """The archive's files by name."""
    out = tmp_path / name
    archive.write(files, out, "flinkop:1", "1", "abc")
    with tarfile.open(out) as tar:
        return {one.name: content.read() for one in tar if (content := tar.extractfile(one))}


def blob(found, descriptor):
    """What a descriptor points to; digest and size are right."""
    content = found["blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")]
    assert len(content) == descriptor["size"]
    assert hashlib.sha256(content).hexdigest() == descriptor["digest"].removeprefix("sha256:")
    return content


def members(text):
    """What a layer has, by name."""
    with tarfile.open(fileobj=io.BytesIO(text)) as tar:
        return {one.name: one for one in tar}


def test_the_same_files_give_the_same_archive(files, tmp_path):
    """Whenever they were written, and by whom."""
    first = packed(files, tmp_path)
    for path in files.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1, 1))
    assert packed(files, tmp_path, "again.tar") == first


def test_an_archive_is_an_oci_layout(files, tmp_path):
    """Index, manifest, configuration and layers fit together."""
    found = packed(files, tmp_path)
    index = json.loads(found["index.json"])
    [entry] = index["manifests"]
    assert entry["annotations"]["io.containerd.image.name"] == "flinkop:1"
    manifest = json.loads(blob(found, entry))
    config = json.loads(blob(found, manifest["config"]))
    assert config["config"]["User"] == "9999:9999"
    assert config["config"]["Labels"]["org.opencontainers.image.revision"] == "abc"
    plain = [gzip.decompress(blob(found, layer)) for layer in manifest["layers"]]
    digests = ["sha256:" + hashlib.sha256(text).hexdigest() for text in plain]
    assert config["rootfs"]["diff_ids"] == digests
    system, libraries, own = layers = [members(text) for text in plain]
    assert OWN in own
    assert LIBRARY in libraries
    assert system["bin/sh"].linkname == "dash"
    assert system["bin/hard"].isreg()
    assert system["bin/dash"].mode == 0o755
    assert system["bin/dash"].uid == 0
    assert system["opt/flink/conf/x"].uid == 9999
    names = [name for layer in layers for name in layer]
    assert len(names) == len(set(names))


def test_contents_are_listed(files):
    """Debian's packages and Python's, with their versions."""
    status = files / "var/lib/dpkg/status.d"
    status.mkdir(parents=True)
    (status / "libc6").write_text("Package: libc6\nVersion: 2.36-9+deb12u1\nArchitecture: amd64\n")
    info = files / rootfs.SITE / "attrs-26.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: attrs\nVersion: 26.1.0\nLicense-Expression: MIT\n\ntext")
    components = json.loads(sbom.document(files, "1"))["components"]
    assert [one["purl"] for one in components] == [
        "pkg:deb/debian/libc6@2.36-9%2Bdeb12u1?arch=amd64&distro=bookworm",
        "pkg:pypi/attrs@26.1.0",
    ]
    assert components[1]["licenses"] == [{"license": {"name": "MIT"}}]


@pytest.fixture
def enter(tmp_path):
    """Runs the entrypoint with a `flinkop` that tells its arguments."""
    program = tmp_path / "flinkop"
    program.write_text('#!/bin/sh\necho "flinkop $*; path ${PYTHONPATH:-}"\n')
    program.chmod(0o755)

    def run(*arguments, **environ):
        path = f"{tmp_path}:{os.environ['PATH']}"
        return subprocess.run(
            ["sh", ENTRYPOINT, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": path, **environ},
        )

    return run


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Usage: docker-entrypoint.sh (operator"),
        (("help",), "Usage: docker-entrypoint.sh (operator"),
        (("operator", "--x"), "Starting Operator\nflinkop run --x;"),
        (("run", "--lease-name=l"), "flinkop run --lease-name=l;"),
        (("crds", "show"), "flinkop crds show;"),
        (("echo", "anything", "else"), "anything else\n"),
    ],
)
def test_commands(enter, arguments, said):
    """The reference's four, and flinkop's own without its name."""
    done = enter(*arguments)
    assert done.returncode == 0
    assert done.stdout.startswith(said)


def test_a_webhook_that_is_not_there_says_so(enter):
    """A pod of the reference's chart must not look healthy."""
    done = enter("webhook")
    assert done.returncode == 2
    assert "has no webhook" in done.stderr


def test_libraries_of_the_user_are_found(enter):
    """What is mounted at OPERATOR_LIB."""
    assert enter("run", OPERATOR_LIB="/opt/lib").stdout.endswith("path /opt/lib\n")


def test_the_dockerfile_sets_what_the_archive_does():
    """Both make the same image."""
    text = (ROOT / "Dockerfile").read_text()
    for variable in archive.ENVIRONMENT:
        assert variable in text
    assert f"USER {rootfs.USER}:{rootfs.USER}" in text

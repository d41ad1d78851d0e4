"""Telling jars from what servers give in their place."""

import io
import zipfile

import pytest
from fakes.jars import jar

from flinkop.artifacts import content, errors


@pytest.mark.parametrize(
    ("start", "words"),
    [
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>", r"a web page \(HTML\)"),
        (b"\xef\xbb\xbf\n  <HTML lang='en'>", r"a web page \(HTML\)"),
        (b"<?xml version='1.0'?><Error>", "an XML document"),
        (b'{"message": "not found"}', "a JSON document"),
        (b"\x1f\x8b\x08\x00", "gzip data"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\x7fELF\x02", "a program"),
        (b"hello", "the bytes 68 65 6c 6c"),
        (b"P", "the bytes 50"),
    ],
)
def test_what_is_no_jar(start, words):
    """The message says what it looks like, and no more attempts are made."""
    with pytest.raises(errors.NotAJar, match=words) as caught:
        content.check_start(start, "x")
    assert not caught.value.retryable


def test_a_jar():
    """A ZIP file is a jar, an empty one too."""
    content.check_start(jar()[:512], "x")
    content.check_start(b"PK\x05\x06" + bytes(18), "x")


def test_the_end(tmp_path):
    """A jar without its end was cut off."""
    path = tmp_path / "a.jar"
    path.write_bytes(jar())
    content.check_end(path, "x")
    path.write_bytes(jar()[:1500])
    with pytest.raises(errors.CutOff, match="ends before its end") as caught:
        content.check_end(path, "x")
    assert caught.value.retryable


def test_the_empty_jar():
    """It has a manifest and nothing else, and is always the same."""
    with zipfile.ZipFile(io.BytesIO(content.empty_jar())) as made:
        assert made.namelist() == ["META-INF/MANIFEST.MF"]
        assert made.read("META-INF/MANIFEST.MF").startswith(b"Manifest-Version: 1.0\r\n")
    assert content.empty_jar() == content.empty_jar()

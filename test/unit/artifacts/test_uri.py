"""Reading a jar's URI."""

import pytest

from flinkop.artifacts import errors, uri

PIN = "a1" * 32


def test_parts():
    """Scheme and host are in lower case, escapes of the path undone, the text kept as it is."""
    read = uri.parse("HTTPS://Jars.Example:8443/a%20b/my-job.jar?sig=abc")
    assert read.scheme == "https"
    assert read.host == "jars.example"
    assert read.path == "/a b/my-job.jar"
    assert read.text == "HTTPS://Jars.Example:8443/a%20b/my-job.jar?sig=abc"
    assert read.shown == "https://Jars.Example:8443/a%20b/my-job.jar"
    assert read.name == "my-job.jar"
    assert read.sha256 is None


def test_pin():
    """A checksum after # is read, in any case, and is no part of what is fetched."""
    read = uri.parse(f"https://jars.example/a.jar#sha256={PIN.upper()}")
    assert read.sha256 == PIN
    assert read.text == "https://jars.example/a.jar"


@pytest.mark.parametrize(
    "fragment", ["sha256=abc", "sha-256=" + PIN, "md5=" + "0" * 32, "main", f"sha256={PIN}&x"]
)
def test_other_fragments(fragment):
    """A fragment that is no checksum is refused: somebody may count on it."""
    with pytest.raises(errors.InvalidUri, match="not a checksum"):
        uri.parse(f"https://jars.example/a.jar#{fragment}")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "empty"),
        ("/opt/job.jar", "scheme"),
        ("job.jar", "scheme"),
        ("://x", "scheme"),
        ("1s3://bucket/a.jar", "scheme"),
        ("https://jars.example/a b.jar", "position 22"),
        ("https://jars.example\\@evil.example/a.jar", "position 20"),
        ("https://jars.example/a\r\nX: y", "position 22"),
        ("https://[::1/a.jar", "host or port"),
        ("https://jars.example:99999/a.jar", "host or port"),
        ("https://jars.example/" + "a" * 9000, "longer"),
    ],
)
def test_what_is_no_uri(text, cause):
    """It is refused with the reason, and without being quoted."""
    with pytest.raises(errors.InvalidUri, match=cause) as caught:
        uri.parse(text)
    assert not caught.value.retryable
    assert "example" not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/x/word-count_2.12.jar", "word-count_2.12.jar"),
        ("/download", "download.jar"),
        ("/", "job.jar"),
        ("", "job.jar"),
        ("/a/%2e%2e%2fetc%2fpasswd", "_etc_passwd.jar"),
        ("/%22;rm%0d%0a.jar", "__rm__.jar"),
        ("/.hidden.jar", "hidden.jar"),
        ("/" + "n" * 300 + ".jar", "n" * 100 + ".jar"),
    ],
)
def test_names(path, name):
    """The name is what is after the last slash, without what is unusual, and ends in .jar."""
    assert uri.parse(f"https://jars.example{path}").name == name


def test_secrets_are_not_shown():
    """User, password and query are in no text that is shown, nor in the value's own."""
    text = "https://user:hunter2@jars.example/a.jar?X-Amz-Signature=s3cr3t"
    for shown in (str(uri.parse(text)), uri.parse(text).shown):
        assert "jars.example/a.jar" in shown
        assert not any(secret in shown for secret in ("user", "hunter2", "s3cr3t"))


def test_containers_are_shown():
    """What stands before the @ is a container for Azure, unless it is a login all the same."""
    assert uri.parse("abfss://jars@acc.dfs.core.windows.net/a").shown == (
        "abfss://jars@acc.dfs.core.windows.net/a"
    )
    assert uri.parse("abfss://u:p@acc.dfs.core.windows.net/a").shown.startswith("abfss://acc.dfs")


def test_long_paths_are_cut():
    """What is shown stays readable."""
    assert len(uri.parse("https://jars.example/" + "a" * 1000).shown) < 320


@pytest.mark.parametrize("text", ["file:/opt/a.jar", "file:///opt/a.jar", "local:///opt/a.jar"])
def test_local_files(text):
    """Java's one slash and everybody else's three mean the same."""
    read = uri.parse(text)
    assert (read.host, read.path) == ("", "/opt/a.jar")

"""The directory of the image whose jars Flink adds to the user's class path by itself (behaviour of 6.2).

A jar in it must not be named in `pipeline.classpaths` as well: Flink's standalone entry point then sees two
jars with a main class and does not know which to run (seen with 1.20.5).
"""

import urllib.parse

DIR = "/opt/flink/usrlib"


def holds(uri: str) -> bool:
    """Tell whether a jar of the image, a `local:` or `file:` URI, lies in it."""
    parts = urllib.parse.urlsplit(uri)
    return parts.scheme in {"local", "file"} and parts.path.startswith(f"{DIR}/")

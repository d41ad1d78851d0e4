"""Jars for tests: real ZIP files of any size."""

import io
import random
import zipfile


def jar(size=2000, seed=1):
    """Return a jar of about `size` bytes whose content depends on `seed`."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as made:
        made.writestr(zipfile.ZipInfo("Job.class"), random.Random(seed).randbytes(size))  # noqa: S311
    return held.getvalue()

"""Loads the configuration part of kubernetes_asyncio without its generated client.

Importing any module of the library loads some thousand others (38 MiB, up to 2 s), because the
packages' `__init__` import every model. The configuration part needs two names of them, and only as
annotations and defaults. While it is imported, empty packages stand in; afterwards they are taken away
again, so that an import of the real client elsewhere in the process works.
`test/unit/kube/test_libraryimport.py` fails when the library's layout no longer fits.
"""

import importlib
import importlib.util
import sys
from types import ModuleType
from typing import Any

_ROOT = "kubernetes_asyncio"
_CLIENT = "kubernetes_asyncio.client"


class LibraryConfiguration:
    """What the library's loaders fill in: the attributes of its `Configuration` that matter here."""

    def __init__(self) -> None:
        self.host = ""
        self.api_key: dict[str, str] = {}
        self.ssl_ca_cert: str | None = None
        self.cert_file: str | None = None
        self.key_file: str | None = None
        self.verify_ssl = True
        self.tls_server_name: str | None = None
        self.proxy: str | None = None


def load(name: str) -> Any:
    """Import `kubernetes_asyncio.config.<name>` and return the module.

    Raises:
        ImportError: the library is missing or its layout changed.
    """
    full = f"{_ROOT}.config.{name}"
    if full in sys.modules or _ROOT in sys.modules:
        return importlib.import_module(full)
    spec = importlib.util.find_spec(_ROOT)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"{_ROOT} is not installed")
    root, client = ModuleType(_ROOT), ModuleType(_CLIENT)
    root.__path__ = list(spec.submodule_search_locations)
    client.Configuration = LibraryConfiguration  # type: ignore[attr-defined]
    client.ApiClient = object  # type: ignore[attr-defined]
    sys.modules[_ROOT], sys.modules[_CLIENT] = root, client
    try:
        return importlib.import_module(full)
    finally:
        del sys.modules[_ROOT], sys.modules[_CLIENT]

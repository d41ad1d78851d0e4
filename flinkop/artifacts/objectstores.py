"""Jars from S3, Google Cloud Storage and Azure, by obstore: the extra `objectstores`.

Which server is spoken to, and with which credentials, is the operator's to say: by Flink's own options
in its configuration (`s3.endpoint`, `s3.access-key`, ...), else by what the clouds give to pods, in
environment variables and files. A resource names bucket, container and path alone, which is why no
address is judged here; Azure's account, which it names too, has to be one of Azure's own hosts.
"""

import functools
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from attrs import frozen

from flinkop.artifacts import errors
from flinkop.artifacts.fetching import Freshness, Sink, Source
from flinkop.artifacts.schemes import MissingExtraError
from flinkop.artifacts.terms import Pairs
from flinkop.artifacts.uri import JarUri

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

SCHEMES: Final = ("s3", "s3a", "gs", "abfs", "abfss")

_EXTRA: Final = "objectstores"
_CHUNK: Final = 1 << 18
_RETRIES: Final = 2
# Flink's options, each in its spellings, and what obstore calls them.
_S3_OPTIONS: Final = {
    "s3.access-key": "access_key_id",
    "s3.access.key": "access_key_id",
    "s3.secret-key": "secret_access_key",
    "s3.secret.key": "secret_access_key",
    "s3.endpoint": "endpoint",
    "s3.endpoint.region": "region",
}
_GS_OPTIONS: Final = {
    "gs.auth.service.account.json.keyfile": "service_account",
    "fs.gs.auth.service.account.json.keyfile": "service_account",
}
_AZURE_KEY: Final = "fs.azure.account.key."
_AZURE: Final = re.compile(
    r"[^@:]+@[a-z0-9-]+\.(dfs|blob)\.(core\.windows\.net|fabric\.microsoft\.com)", re.IGNORECASE
)
_STATUS: Final = re.compile(r"\bstatus code: (\d{3}[^:\n]*)")
_DENIED: Final = "See which credentials the operator has for this store. It is tried again."


@frozen
class _Place:
    """A bucket, and how it is reached; equal ones share a client.

    Attributes:
        base: scheme and authority.
        stores: Flink's options.
        connect: seconds for a connection.
        idle: seconds without a byte.
        total: seconds for an object.
    """

    base: str
    stores: Pairs
    connect: float
    idle: float
    total: float


class ObjectStores:
    """Reads objects; keeps clients, and with them credentials, of the last few buckets."""

    def __init__(self) -> None:
        """Load the library.

        Raises:
            MissingExtraError: it is not installed.
        """
        try:
            import obstore  # noqa: PLC0415 - an extra, and 7 MiB
            import obstore.exceptions  # noqa: PLC0415
            import obstore.store  # noqa: PLC0415
        except ImportError as error:
            raise MissingExtraError(_EXTRA) from error
        self._library = obstore
        self._client = functools.lru_cache(maxsize=16)(self._make_client)

    async def fetch(self, source: Source, sink: Sink) -> Freshness | None:
        """See `Fetcher.fetch`."""
        where = source.jar.shown
        raised = self._library.exceptions
        try:
            return await self._fetch(source, sink)
        except raised.NotModifiedError:
            return None
        except FileNotFoundError:
            raise errors.Missing(
                where,
                "there is no such object",
                "Put the jar there, or mend jarURI. It is tried again.",
            ) from None
        except (raised.PermissionDeniedError, raised.UnauthenticatedError):
            raise errors.Denied(
                where, "the store does not let the operator read it", _DENIED
            ) from None
        except (raised.BaseError, ValueError) as error:
            # its texts quote whole requests, signatures included: only what is known to be harmless is taken
            if sink.received:
                raise errors.CutOff(
                    where, f"the store broke off after {sink.received} bytes", "It is tried again."
                ) from None
            raise errors.Unreachable(
                where, f"the store gives no answer: {_said(error)}", _DENIED
            ) from None

    async def _fetch(self, source: Source, sink: Sink) -> Freshness:
        terms = source.terms
        place = _Place(
            _base(source.jar),
            terms.stores,
            terms.connect_timeout,
            terms.idle_timeout,
            terms.download_timeout,
        )
        known = source.known.etag if source.known is not None else None
        options: GetOptions = {} if known is None else {"if_none_match": known}
        found = await self._library.get_async(
            self._made(place, source.jar.shown), source.jar.path.lstrip("/"), options=options
        )
        await sink.begin(found.meta["size"])
        async for chunk in found.stream(min_chunk_size=_CHUNK):
            await sink.write(bytes(chunk))
        return Freshness(found.meta["e_tag"])

    def _made(self, place: _Place, where: str) -> "ObjectStore":
        try:
            return self._client(place)
        except (self._library.exceptions.BaseError, ValueError, OSError) as error:
            raise errors.NoFetcher(
                where,
                f"the operator's options for this store cannot be used ({type(error).__name__})",
                "Mend them, or the bucket's name in jarURI.",
            ) from None

    def _make_client(self, place: _Place) -> "ObjectStore":
        config = _config(place.base, dict(place.stores))
        client: ClientConfig = {
            "allow_http": True,  # only where the operator's own configuration says http
            "connect_timeout": timedelta(seconds=place.connect),
            "read_timeout": timedelta(seconds=place.idle),
            "timeout": timedelta(seconds=place.total),
            "user_agent": "flinkop",
        }
        retry: RetryConfig = {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=place.idle),
        }
        make: Callable[..., ObjectStore] = self._library.store.from_url  # options differ by scheme
        return make(place.base, config=config, client_options=client, retry_config=retry)


def _base(jar: JarUri) -> str:
    """Return scheme and authority, held against what the scheme's store has."""
    authority = urlsplit(jar.text).netloc
    if jar.scheme not in ("abfs", "abfss"):
        return f"{jar.scheme}://{authority.rpartition('@')[2]}/"
    if _AZURE.fullmatch(authority) is None:
        raise errors.InvalidUri(
            jar.shown,
            "it does not name a container and an account of Azure",
            f"Write {jar.scheme}://container@account.dfs.core.windows.net/path/of/the.jar.",
        )
    return f"{jar.scheme}://{authority}/"


def _config(base: str, stores: Mapping[str, str]) -> dict[str, str]:
    """Translate Flink's options for the store that `base` names."""
    scheme, _, authority = base.rstrip("/").partition("://")
    if scheme in ("s3", "s3a"):
        return _translated(stores, _S3_OPTIONS)
    if scheme == "gs":
        return _translated(stores, _GS_OPTIONS)
    account = authority.rpartition("@")[2].partition(".")[0]
    for host in (f"{account}.dfs.core.windows.net", f"{account}.blob.core.windows.net"):
        if _AZURE_KEY + host in stores:
            return {"account_key": stores[_AZURE_KEY + host]}
    return {}


def _translated(stores: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {names[key]: value for key, value in stores.items() if key in names}


def _said(error: Exception) -> str:
    """Return the status that a text mentions, else the kind of the error."""
    match = _STATUS.search(str(error))
    return match[1].strip() if match else type(error).__name__

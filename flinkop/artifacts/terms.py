"""On which terms a jar is fetched, and within which bounds jars are kept; read from the configuration."""

import re
from pathlib import Path
from typing import Final

from attrs import field, frozen

from flinkop.config import artifact_options, options
from flinkop.config.artifact_options import Network
from flinkop.config.errors import ConfigError
from flinkop.config.flink_conf import FlinkConf

_STORE_PREFIXES: Final = ("s3.", "gs.", "fs.gs.", "fs.azure.")
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Pairs = tuple[tuple[str, str], ...]


@frozen(kw_only=True)
class Terms:
    """What one fetch goes by; two fetches share a file only when all of it is equal.

    Attributes:
        allowed_schemes: in lower case.
        disallow_restricted_hosts: whether restricted addresses are refused.
        allowed_networks: ranges that are allowed all the same.
        headers: sent with HTTP requests, to the host of the URI alone.
        stores: Flink's options for object stores, as (key, value).
        max_size: bytes that a jar may have.
        connect_timeout: seconds for a connection.
        idle_timeout: seconds without a byte.
        download_timeout: seconds in all.
        min_speed: bytes per second, 0 for no bound.
    """

    allowed_schemes: frozenset[str] = frozenset({"https"})
    disallow_restricted_hosts: bool = True
    allowed_networks: tuple[Network, ...] = ()
    headers: Pairs = field(default=(), repr=False)
    stores: Pairs = field(default=(), repr=False)
    max_size: int = 1 << 30
    connect_timeout: float = 10.0
    idle_timeout: float = 30.0
    download_timeout: float = 600.0
    min_speed: int = 10 << 10

    @classmethod
    def read(cls, operator: FlinkConf, resource: FlinkConf) -> "Terms":
        """Read the terms for a resource.

        Args:
            operator: the operator's own configuration, from which all comes that bounds or protects.
            resource: the effective configuration of the session job, for the headers alone.

        Raises:
            ConfigError: a value cannot be read.
        """
        get = operator.get
        return cls(
            allowed_schemes=frozenset(
                scheme.lower() for scheme in get(options.ARTIFACTS_ALLOWED_SCHEMES)
            ),
            disallow_restricted_hosts=get(options.ARTIFACTS_DISALLOW_RESTRICTED_HOSTS),
            allowed_networks=get(artifact_options.ALLOWED_NETWORKS),
            headers=_headers(resource),
            stores=tuple(
                (prefix + key, value)
                for prefix in _STORE_PREFIXES
                for key, value in operator.prefix(prefix).items()
            ),
            max_size=get(artifact_options.MAX_SIZE),
            connect_timeout=get(artifact_options.CONNECT_TIMEOUT).total_seconds(),
            idle_timeout=get(artifact_options.IDLE_TIMEOUT).total_seconds(),
            download_timeout=get(artifact_options.DOWNLOAD_TIMEOUT).total_seconds(),
            min_speed=get(artifact_options.MIN_SPEED),
        )


@frozen(kw_only=True)
class Bounds:
    """What the process as a whole keeps to.

    Attributes:
        directory: where jars are kept, in a directory of this process's own.
        disk: bytes that they may take.
        downloads: how many are fetched at the same time.
    """

    directory: Path
    disk: int = 4 << 30
    downloads: int = 8

    @classmethod
    def read(cls, operator: FlinkConf) -> "Bounds":
        """Read the bounds from the operator's own configuration.

        Raises:
            ConfigError: a value cannot be read, or is of no use.
        """
        downloads = operator.get(artifact_options.MAX_CONCURRENT)
        if downloads < 1:
            raise ConfigError(f"{artifact_options.MAX_CONCURRENT.key} must be 1 or more.")
        return cls(
            directory=Path(operator.get(options.ARTIFACTS_BASE_DIR)),
            disk=operator.get(artifact_options.CACHE_SIZE),
            downloads=downloads,
        )


def _headers(resource: FlinkConf) -> Pairs:
    """Read the headers; messages never show values, which are mostly credentials."""
    option = options.ARTIFACTS_HTTP_HEADER
    headers = resource.get(option)
    for name, value in headers.items():
        if _TOKEN.fullmatch(name) is None:
            raise ConfigError(f"{option.key} holds a name that no HTTP header has. Mend it.")
        if _CONTROL.search(value) is not None:
            raise ConfigError(
                f"{option.key}: the value of {name} holds a control character. Take it out."
            )
    return tuple(sorted(headers.items()))

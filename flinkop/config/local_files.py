"""Files of the operator that clusters may need: Hadoop's configuration, keytab, krb5.conf.

Builders are pure, so whoever runs the operator reads these and hands their contents in.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

from flinkop.config import flink_options as opt
from flinkop.config.flink_conf import FlinkConf

HADOOP_FILES = ("core-site.xml", "hdfs-site.xml")
_LARGEST = 1_000_000


@attrs.frozen
class LocalFiles:
    """Contents of files on the operator's side.

    Attributes:
        hadoop: Hadoop's configuration, file name to content; only HADOOP_FILES count.
        files: Path to content, of keytabs and krb5.conf files that configurations name.
    """

    hadoop: Mapping[str, str] = attrs.field(factory=dict)
    files: Mapping[str, bytes] = attrs.field(factory=dict, repr=False)


NONE = LocalFiles()


def read(conf: FlinkConf, defaults: FlinkConf, environ: Mapping[str, str]) -> LocalFiles:
    """Read what a cluster with `conf` needs (`kubernetes-objects.md` 1.8); usually nothing.

    Only files that the operator's own `defaults` name are read: a resource could otherwise name any file
    of the operator, its service account token for one, and find it in a Secret of its namespace. The
    reference reads them all. What is missing or larger than an object may be is left out.
    """
    names = {
        path
        for option in (opt.KERBEROS_KEYTAB, opt.KERBEROS_CONF)
        if (path := conf.get(option)) is not None and path == defaults.get(option)
    }
    hadoop = _hadoop(environ)
    if not names and not hadoop:
        return NONE
    contents = ((name, _content(Path(name))) for name in sorted(names))
    return LocalFiles(
        hadoop=hadoop, files={name: content for name, content in contents if content is not None}
    )


def _hadoop(environ: Mapping[str, str]) -> dict[str, str]:
    for directory in _hadoop_directories(environ):
        if directory.is_dir():
            contents = {name: _content(directory / name) for name in HADOOP_FILES}
            return {
                name: content.decode("utf-8", "replace")
                for name, content in contents.items()
                if content is not None
            }
    return {}


def _hadoop_directories(environ: Mapping[str, str]) -> Iterator[Path]:
    explicit = environ.get("HADOOP_CONF_DIR", "").strip()
    home = environ.get("HADOOP_HOME", "").strip()
    if explicit:
        yield Path(explicit)
    if home:
        yield Path(home) / "etc" / "hadoop"
        yield Path(home) / "conf"


def _content(path: Path) -> bytes | None:
    try:
        if path.stat().st_size > _LARGEST:
            return None
        return path.read_bytes()
    except OSError:
        return None

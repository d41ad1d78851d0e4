"""Recorded clusters of the reference (`test/golden/<version>/<case>`), and what flinkop builds of them."""

from pathlib import Path
from typing import Any

import attrs
import msgspec
import yaml

from flinkop.api import codec
from flinkop.api.flinkdeployment import FlinkDeploymentSpec
from flinkop.builders import cluster, effective_conf
from flinkop.builders.identity import ClusterIdentity
from flinkop.config import source
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.layers import ConfigLayers
from flinkop.config.local_files import LocalFiles

GOLDEN = Path(__file__).parent.parent / "golden"
JOB_ID = "00000000000000000000000000000001"
RESULT_STORE_ID = "11111111-2222-3333-4444-555555555555"
LOCAL_FILES = LocalFiles(
    files={
        "/tmp/kerberos/u.keytab": b"KEYTAB",  # noqa: S108 - a key of a map
        "/tmp/kerberos/my-krb5.conf": b"[libdefaults]\n",  # noqa: S108
    }
)
_OPERATOR = source.load_directory(GOLDEN / "operator-config")
LAYERS = ConfigLayers(FlinkConf(_OPERATOR.entries))
LOG_FILES = _OPERATOR.log_files


def load(path: Path) -> Any:
    """Read a YAML file of plain texts, numbers and booleans."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)


@attrs.frozen
class GoldenCase:
    """One recorded cluster."""

    path: Path
    document: dict[str, Any]

    @property
    def spec(self) -> FlinkDeploymentSpec:
        """The spec as decoded from the wire."""
        return codec.decode_flinkdeployment_spec(msgspec.json.encode(self.document["spec"]))

    @property
    def identity(self) -> ClusterIdentity:
        """The resource."""
        meta = self.document["metadata"]
        return ClusterIdentity(meta["namespace"], meta["name"], meta["uid"], meta["generation"])

    def conf(self) -> FlinkConf:
        """Return the configuration with which it is deployed."""
        spec, identity = self.spec, self.identity
        base = LAYERS.effective(identity.namespace, spec.flink_version)
        conf = effective_conf.deploy_conf(base, identity, spec)
        if spec.job is None:
            return conf
        return effective_conf.with_deploy_values(
            conf,
            job_id=JOB_ID,
            savepoint_path=spec.job.initial_savepoint_path,
            result_store_id=RESULT_STORE_ID,
        )

    def build(self) -> cluster.ClusterObjects:
        """Build its objects."""
        return cluster.build(self.conf(), self.spec, self.identity, LOG_FILES, LOCAL_FILES)

    def recorded(self) -> dict[str, dict[str, Any]]:
        """Return the recorded objects, by kind and name."""
        documents = [
            load(path)
            for path in sorted(self.path.glob("*.yaml"))
            if path.name not in ("input.yaml", "config.yaml")
        ]
        return {f"{body['kind']}/{body['metadata']['name']}": body for body in documents}


def case(name: str) -> GoldenCase:
    """Return the case of that name, such as `v1_20/native-app-basic`."""
    path = GOLDEN / name
    return GoldenCase(path, load(path / "input.yaml"))


def names(pattern: str, *, failing: bool = False) -> list[str]:
    """Return the names of cases that match, those recorded as failing or the others."""
    return sorted(
        str(path.parent.relative_to(GOLDEN))
        for path in GOLDEN.glob(f"v*/{pattern}/input.yaml")
        if (path.parent / "error.txt").exists() == failing
    )

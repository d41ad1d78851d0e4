"""The configuration in force at one moment; a reload makes a new one, nobody changes this one."""

from collections.abc import Mapping

import attrs

from flinkop.api.flink_version import FlinkVersion
from flinkop.config.flink_conf import FlinkConf
from flinkop.config.layers import ConfigLayers
from flinkop.config.operator_config import OperatorConfig


@attrs.frozen(eq=False)
class ConfigSnapshot:
    """Everything loaded from the configuration's files and the environment.

    Attributes:
        layers: Defaults by namespace and Flink version.
        operator: The operator's own options, global.
        log_files: Log files for clusters, name to content: log4j-console.properties, logback-console.xml.
        environ: Environment variables that override options.
    """

    layers: ConfigLayers
    operator: OperatorConfig
    log_files: Mapping[str, str]
    environ: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    _resolved: dict[int, tuple[FlinkConf, OperatorConfig]] = attrs.field(
        factory=dict, init=False, repr=False
    )

    @classmethod
    def make(
        cls, default: FlinkConf, log_files: Mapping[str, str], environ: Mapping[str, str]
    ) -> "ConfigSnapshot":
        """Make a snapshot from the loaded configuration.

        Raises:
            ConfigError: an option of the operator cannot be read.
        """
        return cls(ConfigLayers(default), OperatorConfig.read(default, environ), log_files, environ)

    @property
    def default(self) -> FlinkConf:
        """The configuration as loaded."""
        return self.layers.default

    def effective(
        self, namespace: str | None, flink_version: FlinkVersion | None = None
    ) -> FlinkConf:
        """Return the defaults for a namespace and version (layers 1 to 3)."""
        return self.layers.effective(namespace, flink_version)

    def operator_config(
        self, namespace: str | None, flink_version: FlinkVersion | None = None
    ) -> OperatorConfig:
        """Return the operator's options for a namespace and version.

        Raises:
            ConfigError: an option in the defaults of that namespace or version cannot be read.
        """
        conf = self.layers.effective(namespace, flink_version)
        known = self._resolved.get(id(conf))
        if known is None:
            # The configuration is kept beside its view, so that its id stays its own.
            known = self._resolved[id(conf)] = (conf, OperatorConfig.read(conf, self.environ))
        return known[1]

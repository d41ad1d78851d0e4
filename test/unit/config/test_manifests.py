"""What the operator of `manifests/` reads at its start."""

import yaml
from fakes.programs import ROOT

from flinkop.config import source


def test_the_installed_configuration_lies_over_the_defaults(tmp_path):
    """Flink on Java 17 starts no job without options that are among them, and logs nothing without its files."""
    manifests = ROOT / "manifests"
    config_map = yaml.safe_load((manifests / "configmap.yaml").read_text())
    for name, text in config_map["data"].items():
        (tmp_path / name).write_text(text)
    deployment = yaml.safe_load((manifests / "operator.yaml").read_text())
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    [mount] = [one for one in container["volumeMounts"] if one["name"] == "config"]
    environ = {
        one["name"]: one["value"].replace(mount["mountPath"], str(tmp_path))
        for one in container["env"]
        if "value" in one
    }
    loaded, defaults = source.load(environ), source.shipped()
    assert "--add-opens" in str(loaded.entries)
    assert loaded.entries.items() >= defaults.entries.items()
    assert loaded.log_files == defaults.log_files
    assert loaded.entries["kubernetes.operator.leader-election.enabled"] == "true"

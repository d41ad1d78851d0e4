"""The library's layout is what the door expects; these fail when a new version changes it."""

import subprocess
import sys

import pytest

_PROBE = """
import sys
from flinkop.kube import libraryimport
module = libraryimport.load("{name}")
loaded = sorted(m for m in sys.modules if m.startswith("kubernetes_asyncio"))
print(len(loaded), "kubernetes_asyncio" in sys.modules, any(".client" in m for m in loaded))
{then}
"""


def _probe(name, then=""):
    done = subprocess.run(
        [sys.executable, "-c", _PROBE.format(name=name, then=then)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("name", ["kube_config", "incluster_config"])
def test_only_configuration_is_loaded(name):
    """The generated client stays out, and no stand-in stays behind."""
    count, root, client = _probe(name)
    assert int(count) < 15
    assert (root, client) == ("False", "False")


def test_the_names_we_use():
    """What is overridden and called in the library's loader is still there."""
    _probe(
        "kube_config",
        """
loader = module.KubeConfigLoader
for name in ("load_and_set", "load_from_exec_plugin", "load_gcp_token", "_refresh_oidc", "_load_cluster_info"):
    assert callable(getattr(loader, name)), name
merged = module.KubeConfigMerger("/nonexistent")
assert merged.config is None
node = module.ConfigNode("n", {"a": 1}, "/path")
assert node.value == {"a": 1} and node.path == "/path"
""",
    )


def test_missing_library():
    """Without the library the message says so."""
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from flinkop.kube import libraryimport as l; l._ROOT='no_such_library'; l.load('kube_config')",
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert "no_such_library is not installed" in done.stderr

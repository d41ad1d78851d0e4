"""Files of the operator that clusters may get."""

from flinkop.config import local_files
from flinkop.config.flink_conf import FlinkConf

KEYTAB = "security.kerberos.login.keytab"


def test_nothing_configured():
    """Usually nothing is read."""
    assert local_files.read(FlinkConf(), FlinkConf(), {}) is local_files.NONE


def test_only_files_of_the_operator(tmp_path):
    """A file counts only if the operator's own configuration names it."""
    keytab = tmp_path / "u.keytab"
    keytab.write_bytes(b"K")
    conf = FlinkConf({KEYTAB: str(keytab)})
    assert local_files.read(conf, conf, {}).files == {str(keytab): b"K"}
    assert local_files.read(conf, FlinkConf(), {}) is local_files.NONE


def test_missing_and_large_files(tmp_path):
    """What is missing, or too large for an object, is left out."""
    large = tmp_path / "large"
    large.write_bytes(b"x" * 1_000_001)
    conf = FlinkConf({KEYTAB: str(large), "security.kerberos.krb5-conf.path": str(tmp_path / "no")})
    assert local_files.read(conf, conf, {}).files == {}


def test_hadoop(tmp_path):
    """Hadoop's configuration comes from HADOOP_CONF_DIR, else from HADOOP_HOME."""
    home = tmp_path / "conf"
    home.mkdir()
    (home / "core-site.xml").write_text("<core/>")
    (home / "yarn-site.xml").write_text("<yarn/>")
    found = local_files.read(FlinkConf(), FlinkConf(), {"HADOOP_HOME": str(tmp_path)})
    assert found.hadoop == {"core-site.xml": "<core/>"}
    found = local_files.read(
        FlinkConf(), FlinkConf(), {"HADOOP_CONF_DIR": str(home), "HADOOP_HOME": "/nowhere"}
    )
    assert found.hadoop == {"core-site.xml": "<core/>"}
    assert (
        local_files.read(FlinkConf(), FlinkConf(), {"HADOOP_HOME": "/nowhere"}) is local_files.NONE
    )

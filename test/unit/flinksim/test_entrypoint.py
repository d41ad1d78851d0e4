"""A standalone JobManager's arguments, read as the entry point of Flink 1.20 reads them."""

from pathlib import Path

import pytest
import yaml
from flinksim import entrypoint, settings
from flinksim.entrypoint import WrongCommandError

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = sorted(GOLDEN.glob("v*/standalone-*"))
NEW = (1, 20)


def read(*args, version=NEW):
    return entrypoint.read(args, version)


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_recorded_clusters(case):
    """Kind, restore path and program arguments are those of the recorded spec."""
    spec = yaml.safe_load((case / "input.yaml").read_text())["spec"]
    main = yaml.safe_load((case / "jobmanager.yaml").read_text())["spec"]["template"]["spec"]
    (path,) = case.glob("configmap-flink-config-*.yaml")
    args = main["containers"][-1]["args"]
    found = settings.read("ns", "a", yaml.safe_load(path.read_text())["data"], args=args)
    job = spec.get("job")
    assert found.standalone
    assert found.is_application is (job is not None)
    command = entrypoint.read(args, found.version)
    if job is not None:
        assert found.savepoint_path == job.get("initialSavepointPath")
        assert command.arguments == [str(arg) for arg in job.get("args", [])]
        assert command.main == job.get("entryClass")
        assert found.job_id is not None
    reached = found.conf["jobmanager.rpc.address"]
    assert (reached == "$(_POD_IP_ADDRESS)") is found.ha


@pytest.mark.parametrize(
    ("args", "conf", "arguments"),
    [
        (["--job-id", "ab"], {entrypoint.JOB_ID: "ab"}, []),
        (["-jid", "ab", "x"], {entrypoint.JOB_ID: "ab"}, ["x"]),
        (["--fromSavepoint=s3://s"], {entrypoint.SAVEPOINT: "s3://s"}, []),
        (["--from", "s3://s", "--x"], {entrypoint.SAVEPOINT: "s3://s"}, ["--x"]),
        (["-s", "s3://s", "-n"], {entrypoint.SAVEPOINT: "s3://s", entrypoint.IGNORE_UNCLAIMED: "true"}, []),
        (["-D", "a=b", "-Dc=d=e"], {"a": "b", "c": "d=e"}, []),
        (["--", "-s", "x"], {}, ["-s", "x"]),
        (["--interval", "-s", "x"], {}, ["--interval", "-s", "x"]),
        (["--host", "h", "--jars", "j"], {}, []),
        ([], {}, []),
    ],
)  # fmt: skip
def test_options_and_program_arguments(args, conf, arguments):
    """Known options are taken from the front, until the first word that is none."""
    found = read("standalone-job", *args)
    assert (found.conf, found.arguments) == (conf, arguments)


def test_the_script_of_old_session_clusters():
    """Before 1.15 it takes a host and nothing else."""
    assert read("jobmanager", "10.0.0.1", version=(1, 14)).conf == {
        "jobmanager.rpc.address": "10.0.0.1"
    }
    assert read("jobmanager", version=(1, 14)).conf == {}
    assert not read("jobmanager", "-D", "a=b").is_application


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["bash", "-c", "x"],
        ["taskmanager"],
        ["standalone-job", "--job", "x"],
        ["standalone-job", "-s"],
    ],
)
def test_commands_that_end_at_once(args):
    """No JobManager comes of them."""
    with pytest.raises(WrongCommandError):
        read(*args)

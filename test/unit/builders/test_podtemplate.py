"""Pod templates: merging as recorded, and what is added."""

import copy

import pytest
from fakes import goldencase

from flinkop.api import codec
from flinkop.builders import podtemplate
from flinkop.builders.errors import BuildError, as_build_errors
from flinkop.config.flink_conf import FlinkConf

MERGES = goldencase.load(goldencase.GOLDEN / "pod-template-merge" / "cases.yaml")


@pytest.mark.parametrize("case", MERGES, ids=lambda case: case["name"])
@pytest.mark.parametrize("by_name", [False, True])
def test_recorded_merges(case, by_name):
    """Merging by position and by name equals the recorded results, and changes no input."""
    before = copy.deepcopy(case)
    merged = podtemplate.merge(case["common"], case["specific"], by_name=by_name)
    assert merged == case["merged_by_name" if by_name else "merged_by_index"]
    assert case == before


def spec(**fields):
    """Decode a spec."""
    return codec.decode_flinkdeployment_spec({"flinkVersion": "v1_20", **fields})


def test_startup_probe():
    """The probe is added unless switched off or brought along, and never to the spec itself."""
    own = {"spec": {"containers": [{"name": "side"}]}}
    given = spec(podTemplate=own)
    template = podtemplate.jobmanager_template(given, FlinkConf())
    assert [container["name"] for container in template["spec"]["containers"]] == [
        "side",
        "flink-main-container",
    ]
    assert template["spec"]["containers"][1]["startupProbe"]["httpGet"]["port"] == "rest"
    assert own == {"spec": {"containers": [{"name": "side"}]}}
    off = FlinkConf({"kubernetes.operator.jm-deployment.startup.probe.enabled": "false"})
    assert podtemplate.jobmanager_template(spec(), off) == {}


def test_startup_probe_on_host_network():
    """On the host's network the probe asks by the number of the REST port."""
    conf = FlinkConf({"kubernetes.hostnetwork.enabled": "true", "rest.port": "9999"})
    (main,) = podtemplate.jobmanager_template(spec(), conf)["spec"]["containers"]
    assert main["startupProbe"]["httpGet"]["port"] == 9999


def test_no_taskmanager_template():
    """Without any template, and with CPU and memory only, there is none."""
    resources = {"requests": {"cpu": "1", "memory": "1g"}}
    assert podtemplate.taskmanager_template(spec(), FlinkConf()) is None
    given = spec(taskManager={"resources": resources})
    assert podtemplate.taskmanager_template(given, FlinkConf()) is None


def test_extra_resources():
    """Other resources go into the main container; the newer field silences the older one."""
    given = spec(
        taskManager={
            "resource": {"ephemeralStorage": "1Gi"},
            "resources": {"limits": {"cpu": "1", "nvidia.com/gpu": 2}},
            "podTemplate": {
                "spec": {
                    "containers": [
                        {
                            "name": "flink-main-container",
                            "resources": {"limits": {"nvidia.com/gpu": "1", "x": "1"}},
                        }
                    ]
                }
            },
        }
    )
    template = podtemplate.taskmanager_template(given, FlinkConf())
    assert template is not None
    assert template["spec"]["containers"][0]["resources"] == {
        "limits": {"nvidia.com/gpu": "2", "x": "1"}
    }
    only_storage = spec(taskManager={"resource": {"ephemeralStorage": "1Gi"}})
    template = podtemplate.taskmanager_template(only_storage, FlinkConf())
    assert template is not None
    assert template["spec"]["containers"][0]["resources"] == {
        "requests": {"ephemeral-storage": "1Gi"},
        "limits": {"ephemeral-storage": "1Gi"},
    }


def test_depth():
    """A template nested beyond all measure is refused, not a crash."""
    template: dict[str, object] = {}
    for _ in range(5000):
        template = {"a": template}
    with pytest.raises(BuildError, match="nested too deeply"), as_build_errors():
        podtemplate.merge({"spec": template}, None, by_name=False)


@pytest.mark.parametrize(
    ("template", "where"),
    [
        ({"spec": "x"}, r"spec\.podTemplate\.spec is not an object"),
        ({"spec": {"containers": {}}}, r"spec\.containers is not a list"),
        ({"spec": {"containers": ["x"]}}, r"containers\[0\] is not an object"),
        ({"spec": {"containers": [{"env": "x"}]}}, r"containers\[0\]\.env is not a list"),
        ({"spec": {"containers": [{"resources": []}]}}, r"resources is not an object"),
        ({"spec": {"volumes": [None]}}, r"volumes\[0\] is not an object"),
        ({"metadata": {"labels": ["x"]}}, r"metadata\.labels is not an object"),
    ],
)
def test_malformed_templates(template, where):
    """A template of wrong types is refused with the place."""
    with pytest.raises(BuildError, match=where):
        podtemplate.jobmanager_template(spec(podTemplate=template), FlinkConf())

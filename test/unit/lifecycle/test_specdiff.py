"""What changed and how much it matters: the table of api.md 2.1, and the wording of events."""

import pytest

from flinkop.api import codec
from flinkop.lifecycle import specdiff
from flinkop.lifecycle.specdiff import DiffType

JOB = {
    "jarURI": "local:///a.jar",
    "parallelism": 2,
    "args": ["--rps", "10"],
    "state": "running",
    "upgradeMode": "stateless",
}


def document(**fields):
    """Return a spec as the differ gets it: every known field is present."""
    wire = {"flinkVersion": "v1_20", "image": "flink:1.20", "job": JOB, **fields}
    return codec.encode(codec.decode_flinkdeployment_spec(wire), codec.Omit.NOTHING)


def compare(before, after, *, standalone=False):
    return specdiff.diff(document(**before), document(**after), standalone=standalone)


def test_equal_documents_have_no_difference():
    """Nothing changed is IGNORE with an empty text."""
    found = compare({}, {})
    assert found.changes == ()
    assert found.type is DiffType.IGNORE
    assert found.text() == "Diff: FlinkDeploymentSpec[]"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("savepointTriggerNonce", 1),
        ("checkpointTriggerNonce", 1),
        ("initialSavepointPath", "s3://a"),
        ("upgradeMode", "savepoint"),
        ("allowNonRestoredState", True),
        ("autoscalerResetNonce", 1),
    ],
)
def test_job_fields_that_do_not_restart(name, value):
    """They are used the next time they are consulted."""
    found = compare({}, {"job": {**JOB, name: value}})
    assert [c.path for c in found.changes] == [f"job.{name}"]
    assert found.type is DiffType.IGNORE


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("jarURI", "local:///b.jar"),
        ("entryClass", "Main"),
        ("args", ["--rps", "20"]),
        ("state", "suspended"),
    ],
)
def test_job_fields_that_restart(name, value):
    """A field without a rule is UPGRADE."""
    assert compare({}, {"job": {**JOB, name: value}}).type is DiffType.UPGRADE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"image": "flink:2.0"}),
        ({}, {"imagePullPolicy": "Always"}),
        ({}, {"serviceAccount": "other"}),
        ({}, {"flinkVersion": "v2_0"}),
        ({}, {"ingress": {}}),
        ({}, {"podTemplate": {}}),
        ({}, {"jobManager": {}}),
        ({}, {"taskManager": {}}),
        ({}, {"logConfiguration": {}}),
        ({}, {"mode": "native"}),
        ({}, {"restartNonce": 1}),
        ({}, {"job": None}),
        ({"image": "a"}, {"image": None}),
        ({"restartNonce": 1}, {"restartNonce": 2}),
        ({"jobManager": {"replicas": 1}}, {"jobManager": {"replicas": 2}}),
        ({"taskManager": {}}, {"taskManager": {"resources": {}}}),
        (
            {"taskManager": {"resource": {"memory": "2048m"}}},
            {"taskManager": {"resource": {"memory": "2g"}}},
        ),
    ],
)
def test_other_changes_restart_in_both_directions(before, after):
    """Absent and empty differ, whichever comes first; only the nonces may fall silent."""
    assert compare(before, after).type is DiffType.UPGRADE
    back = compare(after, before).type
    silent = "restartNonce" in after and "restartNonce" not in before
    assert back is (DiffType.IGNORE if silent else DiffType.UPGRADE)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"flinkConfiguration": {"a": {"b": 2}}}, {"flinkConfiguration": {"a.b": "2"}}),
        ({}, {"flinkConfiguration": {}}),
        ({"job": {**JOB, "args": None}}, {"job": {**JOB, "args": []}}),
        (
            {"jobManager": {"resources": {"limits": {"memory": "2Gi", "cpu": "1"}}}},
            {"jobManager": {"resources": {"limits": {"memory": "2048Mi", "cpu": "1000m"}}}},
        ),
        (
            {"taskManager": {"resources": {}}},
            {"taskManager": {"resources": {"requests": {}}}},
        ),
        (
            {"taskManager": {"resource": {"cpu": 1}}},
            {"taskManager": {"resource": {"cpu": 1.0}}},
        ),
        ({"restartNonce": 1}, {"restartNonce": None}),
        (
            {"job": {**JOB, "savepointRedeployNonce": 1}},
            {"job": {**JOB, "savepointRedeployNonce": None}},
        ),
    ],
)
def test_what_counts_as_equal(before, after):
    """The equality table: flattening, quantities, defaults, nonces that are taken away."""
    assert compare(before, after).changes == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"spec": {}}, {"spec": {"tolerations": []}}),
        ({"metadata": {}, "spec": {}}, {"metadata": {"labels": {}}, "spec": {}}),
        ({"kind": "Pod", "apiVersion": "v1", "status": {"phase": "x"}}, {}),
        (
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "1"}}}]}},
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "1000m"}, "requests": {}}}]}},
        ),
        (
            {"spec": {"volumes": [{"emptyDir": {"sizeLimit": "1Gi"}}]}},
            {"spec": {"volumes": [{"emptyDir": {"sizeLimit": "1024Mi"}}]}},
        ),
        ({"spec": {"dnsPolicy": None}}, {"spec": {}}),
    ],
)
def test_pod_templates_that_mean_the_same(one, other):
    """Empty lists and string maps, quantities, and what is not metadata or spec do not count."""
    for place in ({"podTemplate": None}, {"jobManager": None}, {"taskManager": None}):
        name = next(iter(place))
        before, after = (
            {name: t} if name == "podTemplate" else {name: {"podTemplate": t}} for t in (one, other)
        )
        assert compare(before, after).changes == ()
        assert compare(after, before).changes == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"spec": {}}, {"spec": {"securityContext": {}}}),
        ({}, {"spec": {}}),
        ({"spec": {"volumes": [{"emptyDir": {}}]}}, {"spec": {"volumes": [{}]}}),
        (
            {"spec": {"containers": [{"name": "a"}, {"name": "b"}]}},
            {"spec": {"containers": [{"name": "b"}, {"name": "a"}]}},
        ),
        ({"spec": {"x": 80}}, {"spec": {"x": "80"}}),
        ({"spec": {"somethingNew": 1}}, {"spec": {}}),
        (
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "a"}}}]}},
            {"spec": {"containers": [{"resources": {"limits": {"cpu": "b"}}}]}},
        ),
    ],
)
def test_pod_templates_that_differ(one, other):
    """Empty objects, order, types of ports and unknown members count."""
    assert compare({"podTemplate": one}, {"podTemplate": other}).type is DiffType.UPGRADE
    assert compare({"podTemplate": other}, {"podTemplate": one}).type is DiffType.UPGRADE


@pytest.mark.parametrize(
    ("key", "native", "standalone"),
    [
        ("job.autoscaler.enabled", DiffType.IGNORE, DiffType.IGNORE),
        ("job.autoscalerX", DiffType.IGNORE, DiffType.IGNORE),
        ("parallelism.default", DiffType.IGNORE, DiffType.IGNORE),
        ("kubernetes.operator.reconcile.interval", DiffType.IGNORE, DiffType.IGNORE),
        ("pipeline.jobvertex-parallelism-overrides", DiffType.SCALE, DiffType.UPGRADE),
        ("state.savepoints.dir", DiffType.UPGRADE, DiffType.UPGRADE),
    ],
)
def test_configuration_keys_are_judged_by_prefix(key, native, standalone):
    """Added, removed and changed keys count alike; prefixes know no dots."""
    for before, after in (({}, {key: "1"}), ({key: "1"}, {}), ({key: "1"}, {key: "2"})):
        pair = {"flinkConfiguration": before}, {"flinkConfiguration": after}
        assert compare(*pair).type is native
        assert compare(*pair, standalone=True).type is standalone


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({}, {"job": {**JOB, "parallelism": 4}}),
        ({"taskManager": {"replicas": 1}}, {"taskManager": {"replicas": 2}}),
    ],
)
def test_scaling_without_a_restart_is_for_standalone_clusters(before, after):
    """A native cluster has to be upgraded for it."""
    assert compare(before, after).type is DiffType.UPGRADE
    assert compare(before, after, standalone=True).type is DiffType.SCALE


def test_the_greatest_type_decides():
    """SAVEPOINT_REDEPLOY is above UPGRADE is above SCALE is above IGNORE."""
    after = {
        "image": "b",
        "flinkConfiguration": {
            "parallelism.default": "3",
            "pipeline.jobvertex-parallelism-overrides": "a:1",
        },
        "job": {**JOB, "savepointRedeployNonce": 1, "upgradeMode": "savepoint"},
    }
    found = compare({}, after)
    assert {c.type for c in found.changes} == set(DiffType)
    assert found.type is DiffType.SAVEPOINT_REDEPLOY


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (
            {**JOB, "upgradeMode": "stateless"},
            {**JOB, "args": ["--rps", "20"], "upgradeMode": "savepoint"},
            "job.args.1 : 10 -> 20, job.upgradeMode : stateless -> savepoint",
        ),
        (
            {**JOB, "upgradeMode": "last-state"},
            {**JOB, "state": "suspended", "upgradeMode": "savepoint"},
            "job.state : running -> suspended, job.upgradeMode : last-state -> savepoint",
        ),
    ],
)
def test_the_wording_is_that_of_recorded_events(before, after, text):
    """Texts of SpecChanged events of a real cluster under the reference."""
    found = compare({"job": before}, {"job": after})
    assert found.text() == f"Diff: FlinkDeploymentSpec[{text}]"


def test_the_order_of_the_wording():
    """Fields come in a fixed order, then keys of the configuration sorted."""
    found = compare(
        {"flinkConfiguration": {"b": "1"}, "logConfiguration": {"x": "1"}},
        {
            "flinkConfiguration": {"a": True},
            "restartNonce": 5,
            "job": {**JOB, "args": []},
            "image": None,
            "podTemplate": {"spec": {}},
        },
    )
    assert found.text() == (
        "Diff: FlinkDeploymentSpec[image : flink:1.20 -> null, podTemplate : null -> {..}, "
        "logConfiguration : {..} -> null, job.args.0 : --rps -> null, job.args.1 : 10 -> null, "
        "restartNonce : null -> 5, flinkConfiguration.a : null -> true, flinkConfiguration.b : 1 -> null]"
    )


def test_objects_are_told_by_what_differs_inside():
    """Unchanged members of a changed object are not worth reading."""
    template = {"spec": {"containers": [{"name": "a", "tty": True}], "hostNetwork": True}}
    other = {"spec": {"containers": [{"name": "a", "tty": False}, {"args": []}], "volumes": [{}]}}
    found = compare({"podTemplate": template}, {"podTemplate": other})
    assert found.text() == (
        "Diff: FlinkDeploymentSpec[podTemplate.spec.containers.0.tty : true -> false, "
        "podTemplate.spec.containers.1 : null -> {..}, podTemplate.spec.hostNetwork : true -> null, "
        "podTemplate.spec.volumes : null -> [..]]"
    )


def test_secrets_of_the_configuration_are_not_told():
    """Events are readable for more people than the resource."""
    found = compare(
        {"flinkConfiguration": {"s3.secret-key": "old"}},
        {"flinkConfiguration": {"s3.secret-key": "new", "s3.access-key": "id"}},
    )
    assert "s3.secret-key : ****** -> ******" in found.text()
    assert "s3.access-key : null -> id" in found.text()


def test_session_jobs_have_their_own_name():
    """The text names the kind, and `deploymentName` comes first."""
    found = specdiff.diff(
        {"deploymentName": "a", "job": None}, {"deploymentName": "b"}, kind="FlinkSessionJob"
    )
    assert found.text() == "Diff: FlinkSessionJobSpec[deploymentName : a -> b]"
    assert found.type is DiffType.UPGRADE


def test_environment_variables_are_not_told():
    """Their values are often passwords; that they changed is enough."""

    def template(value):
        env = [{"name": "PASSWORD", "value": value}]
        return {"podTemplate": {"spec": {"containers": [{"name": "main", "env": env}]}}}

    text = specdiff.diff(template("old-secret"), template("new-secret")).text()
    assert "podTemplate.spec.containers.0.env.0.value" in text
    assert "secret" not in text

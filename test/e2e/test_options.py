"""Parts of a spec that make more than the plain cluster: Ingress, log files, pod templates, HA."""

import pytest
from fakes.flinkuser import HA, app

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

HOST = {"template": "{{name}}.{{namespace}}.example.com"}


def ingress(cluster):
    """The cluster's Ingress as stored."""
    return cluster.api.get(f"{cluster.place.ingresses}/{cluster.name}")


def test_an_ingress_is_made_changed_and_removed(place):
    """It leads to the REST Service and follows the spec."""
    cluster = place.stable(app(ingress=HOST))
    made = ingress(cluster)
    [rule] = made["spec"]["rules"]
    assert rule["host"] == f"{cluster.name}.{place.namespace}.example.com"
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert backend == {"name": f"{cluster.name}-rest", "port": {"number": 8081}}
    assert made["metadata"]["ownerReferences"][0]["kind"] == "FlinkDeployment"
    change = {
        "template": "example.com/{{namespace}}/{{name}}(/|$)(.*)",
        "className": "nginx",
        "annotations": {"nginx.ingress.kubernetes.io/rewrite-target": "/$2"},
        "labels": {"team": "a"},
    }
    cluster.wait_stable(cluster.change(ingress=change))
    changed = ingress(cluster)
    [rule] = changed["spec"]["rules"]
    assert rule["host"] == "example.com"
    assert rule["http"]["paths"][0]["path"] == f"/{place.namespace}/{cluster.name}(/|$)(.*)"
    assert changed["spec"]["ingressClassName"] == "nginx"
    annotations = changed["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/rewrite-target"] == "/$2"
    assert changed["metadata"]["labels"]["team"] == "a"
    cluster.wait_stable(cluster.change(ingress=None))
    assert ingress(cluster) is None


def test_what_is_taken_from_an_ingress_is_gone(place):
    """Annotations, labels and a class that the spec no longer has do not stay."""
    rich = HOST | {"className": "nginx", "annotations": {"a/b": "c"}, "labels": {"team": "a"}}
    cluster = place.stable(app(ingress=rich))
    plain = HOST | {"className": None, "annotations": None, "labels": None}
    cluster.wait_stable(cluster.change(ingress=plain))
    left = ingress(cluster)
    assert "a/b" not in left["metadata"].get("annotations", {})
    assert "team" not in left["metadata"]["labels"]
    assert "ingressClassName" not in left["spec"]


def test_log_files_of_the_spec_reach_the_pods(place):
    """The file is in the ConfigMap and mounted beside Flink's configuration."""
    text = "rootLogger.level = DEBUG\n"
    cluster = place.stable(app(logConfiguration={"log4j-console.properties": text}))
    config = place.api.get(f"{place.core('configmaps')}/flink-config-{cluster.name}")
    assert config["data"]["log4j-console.properties"] == text
    volumes = cluster.job_manager["spec"]["template"]["spec"]["volumes"]
    mounted = next(v for v in volumes if v["name"] == "flink-config-volume")
    assert "log4j-console.properties" in [i["path"] for i in mounted["configMap"]["items"]]


def test_pod_templates_meet_in_the_job_managers_pod(place):
    """The common template and the JobManager's own are merged into what the operator makes."""
    common = {
        "metadata": {"labels": {"team": "a"}},
        "spec": {
            "containers": [
                {
                    "name": "flink-main-container",
                    "volumeMounts": [{"name": "logs", "mountPath": "/opt/flink/log"}],
                },
                {"name": "sidecar", "image": "busybox:1.36", "command": ["sleep", "infinity"]},
            ],
            "volumes": [{"name": "logs", "emptyDir": {}}],
        },
    }
    own = {"spec": {"initContainers": [{"name": "fetch", "image": "busybox:1.36"}]}}
    cluster = place.stable(app(podTemplate=common, jobManager={"podTemplate": own}))
    template = cluster.job_manager["spec"]["template"]
    assert template["metadata"]["labels"]["team"] == "a"
    containers = {c["name"]: c for c in template["spec"]["containers"]}
    assert containers.keys() == {"flink-main-container", "sidecar"}
    mounts = [m["mountPath"] for m in containers["flink-main-container"]["volumeMounts"]]
    assert {"/opt/flink/log", "/opt/flink/conf"} <= set(mounts)
    assert [c["name"] for c in template["spec"]["initContainers"]] == ["fetch"]
    names = [v["name"] for v in template["spec"]["volumes"]]
    assert {"logs", "flink-config-volume"} <= set(names)
    config = place.api.get(f"{place.core('configmaps')}/pod-template-{cluster.name}")
    assert "sidecar" in config["data"]["taskmanager-pod-template.yaml"]


def test_a_kubernetes_template_with_kind_and_name(place):
    """People write whole Pods there; only metadata and spec count."""
    template = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {}}
    cluster = place.stable(app(podTemplate=template))
    assert cluster.job_manager["metadata"]["name"] == cluster.name


def test_resources_in_the_kubernetes_form(place):
    """`resources` with requests and limits, as containers have them."""
    resources = {"requests": {"memory": "2048m", "cpu": "500m"}, "limits": {"memory": "3Gi"}}
    change = {"resource": None, "resources": resources}
    cluster = place.stable(app(jobManager=change, taskManager=change))
    main = cluster.job_manager["spec"]["template"]["spec"]["containers"][0]
    assert main["resources"]["requests"]["memory"] == "2Gi"
    assert main["resources"]["limits"]["memory"] == "3Gi"


def test_ha_metadata_does_not_survive_a_stateless_upgrade(place):
    """Otherwise Flink would restore from it, against what the user asked for."""
    conf = {
        **HA,
        "execution.checkpointing.interval": "200 ms",
        "state.checkpoints.dir": "file:///data/checkpoints",
    }
    cluster = place.stable(app(flinkConfiguration=conf))
    place.api.until(place.core("configmaps"), lambda _: cluster.ha_config_maps())
    cluster.wait_runs(lambda runs: runs[0]["checkpoints"])
    cluster.wait_stable(cluster.change(restartNonce=1))
    first, second = cluster.runs()
    assert first["checkpoints"] > 0
    assert second["restored_from"] is None
    assert second["restored_counter"] == 0


def test_suspending_an_ha_cluster_takes_its_metadata_along(place):
    """A stateless suspend leaves nothing to restore from."""
    cluster = place.stable(app(flinkConfiguration=dict(HA)))
    place.api.until(place.core("configmaps"), lambda _: cluster.ha_config_maps())
    cluster.wait_lifecycle("SUSPENDED", cluster.change(job={"state": "suspended"}))
    assert cluster.ha_config_maps() == []
    assert cluster.objects() == {}


def test_standby_job_managers(place):
    """Two replicas with HA."""
    cluster = place.stable(app(flinkConfiguration=dict(HA), jobManager={"replicas": 2}))
    assert cluster.job_manager["spec"]["replicas"] == 2
    assert len(cluster.objects()["Pod"]) == 2


def test_options_of_the_operator_do_not_reach_flink(place):
    """`kubernetes.operator.*` and `job.autoscaler.*` are not Flink's business."""
    options = {"kubernetes.operator.reconcile.interval": "90 s", "job.autoscaler.enabled": "false"}
    cluster = place.stable(app(flinkConfiguration={**options, "rest.port": 9091}))
    config = place.api.get(f"{place.core('configmaps')}/flink-config-{cluster.name}")
    text = config["data"]["flink-conf.yaml"]
    assert "rest.port: 9091" in text
    assert "kubernetes.operator" not in text
    assert "job.autoscaler" not in text
    service = place.api.get(f"{place.core('services')}/{cluster.name}-rest")
    assert service["spec"]["ports"][0]["port"] == 9091

"""Values files that users of the reference have render, and mean what they meant."""

import pytest
import yaml
from fakes import helm

pytestmark = pytest.mark.chart


def test_log_levels_of_the_reference_set_the_operators():
    """Its documented `--set` of log4j's root level, and logback's."""
    level = helm.render(
        None, r"defaultConfiguration.log4j-operator\.properties=rootLogger.level=DEBUG"
    )
    assert level.env["FLINKOP_LOG_LEVEL"] == "debug"
    xml = '<configuration><root level="WARN"/></configuration>'
    level = helm.render(
        {
            "logging": {"framework": "logback"},
            "defaultConfiguration": {"logback-operator.xml": xml},
        }
    )
    assert level.env["FLINKOP_LOG_LEVEL"] == "warning"
    assert helm.render().env["FLINKOP_LOG_LEVEL"] == "info"


@pytest.mark.parametrize(
    ("framework", "file"),
    [("log4j2", "log4j-console.properties"), ("logback", "logback-console.xml")],
)
def test_clusters_get_the_file_of_the_logging_framework(framework, file):
    """And not that of the other."""
    data = helm.render(None, f"logging.framework={framework}").one("ConfigMap")["data"]
    assert file in data
    assert len(data) == 2


def test_console_properties_are_added_and_xml_replaces():
    """As in the reference's chart."""
    given = {"log4j-console.properties": "logger.mine.level = DEBUG\n"}
    data = helm.render({"defaultConfiguration": given}).one("ConfigMap")["data"]
    assert "rootLogger.level = INFO" in data["log4j-console.properties"]
    assert data["log4j-console.properties"].rstrip().endswith("logger.mine.level = DEBUG")
    given = {"logback-console.xml": "<configuration/>"}
    values = {"logging": {"framework": "logback"}, "defaultConfiguration": given}
    data = helm.render(values).one("ConfigMap")["data"]
    assert data["logback-console.xml"].strip() == "<configuration/>"


def test_a_sidecar_with_shared_volumes():
    """The kustomize example's values: log files on a volume, a container that ships them."""
    values = yaml.safe_load(
        """
        operatorPod:
          sidecarContainers:
            - {name: shipper, image: busybox, volumeMounts: [{name: logs, mountPath: /opt/flink/log}]}
          initContainers:
            - {name: prepare, image: busybox}
          env: [{name: EXTRA, value: "1"}]
          envFrom: [{configMapRef: {name: extra}}]
        operatorVolumeMounts:
          create: true
          data: [{name: logs, mountPath: /opt/flink/log}]
        operatorVolumes:
          create: true
          data: [{name: logs, emptyDir: {}}]
        jvmArgs: {operator: -Dlog.file=/opt/flink/log/operator.log}
        """
    )
    rendered = helm.render(values)
    assert [one["name"] for one in rendered.pod["containers"]] == ["flinkop", "shipper"]
    assert [one["name"] for one in rendered.pod["initContainers"]] == ["prepare"]
    volumes = {one["name"] for one in rendered.pod["volumes"]}
    assert "logs" in volumes
    assert "flink-artifacts-volume" not in volumes
    assert {"name": "logs", "mountPath": "/opt/flink/log"} in rendered.container["volumeMounts"]
    assert rendered.env["EXTRA"] == "1"
    assert rendered.container["envFrom"] == [{"configMapRef": {"name": "extra"}}]


def test_volumes_as_documented():
    """`--set operatorVolumeMounts.create=true --set operatorVolumes.create=true`."""
    rendered = helm.render(None, "operatorVolumeMounts.create=true", "operatorVolumes.create=true")
    [volume] = [one for one in rendered.pod["volumes"] if one["name"] == "flink-artifacts"]
    assert volume["hostPath"] == {"path": "/tmp/flink/artifacts", "type": "DirectoryOrCreate"}  # noqa: S108 -- in the node


def test_pod_settings_reach_the_pod():
    """Each by its name."""
    values = yaml.safe_load(
        """
        imagePullSecrets: [{name: pull}]
        image: {pullPolicy: Always}
        operatorPod:
          priorityClassName: high
          annotations: {a: b}
          labels: {team: streaming}
          dnsPolicy: None
          dnsConfig: {nameservers: [10.0.0.1]}
          nodeSelector: {disk: ssd}
          affinity: {nodeAffinity: {}}
          tolerations: [{key: x, operator: Exists}]
          topologySpreadConstraints: [{topologyKey: zone, maxSkew: 2, whenUnsatisfiable: DoNotSchedule}]
          resources: {limits: {cpu: "1", memory: 512Mi}}
        podSecurityContext: {runAsUser: 1001}
        operatorSecurityContext: {privileged: false}
        postStart: {exec: {command: [sh, -c, "true"]}}
        """
    )
    rendered = helm.render(values)
    pod, container = rendered.pod, rendered.container
    deployment = rendered.one("Deployment")
    assert deployment["metadata"]["labels"]["team"] == "streaming"
    assert deployment["spec"]["template"]["metadata"]["labels"]["team"] == "streaming"
    assert deployment["spec"]["template"]["metadata"]["annotations"]["a"] == "b"
    assert pod["priorityClassName"] == "high"
    assert pod["dnsPolicy"] == "None"
    assert pod["dnsConfig"] == {"nameservers": ["10.0.0.1"]}
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert pod["affinity"] == {"nodeAffinity": {}}
    assert pod["tolerations"] == [{"key": "x", "operator": "Exists"}]
    assert [one["maxSkew"] for one in pod["topologySpreadConstraints"]] == [2]
    assert pod["imagePullSecrets"] == [{"name": "pull"}]
    assert pod["securityContext"]["runAsUser"] == 1001
    assert container["imagePullPolicy"] == "Always"
    assert container["resources"]["limits"] == {"cpu": "1", "memory": "512Mi"}
    assert container["securityContext"]["privileged"] is False
    assert container["lifecycle"]["postStart"]["exec"]["command"] == ["sh", "-c", "true"]


def test_names():
    """The Deployment, its label and the operator's name in metrics follow `nameOverride`."""
    rendered = helm.render(None, "nameOverride=flink-kubernetes-operator")
    deployment = rendered.one("Deployment", "flink-kubernetes-operator")
    assert deployment["spec"]["selector"]["matchLabels"] == {
        "app.kubernetes.io/name": "flink-kubernetes-operator"
    }
    assert rendered.env["OPERATOR_NAME"] == "flink-kubernetes-operator"
    assert rendered.container["name"] == "flink-kubernetes-operator"


def test_accounts_that_are_made_elsewhere():
    """Not created: the name counts, and without one it is `default`."""
    rendered = helm.render(
        None,
        "operatorServiceAccount.create=false",
        "operatorServiceAccount.name=mine",
        "jobServiceAccount.create=false",
        "jobServiceAccount.name=",
    )
    assert "ServiceAccount" not in rendered.kinds
    assert rendered.pod["serviceAccountName"] == "mine"
    binding = rendered.one("RoleBinding", "flink-role-binding")
    assert binding["subjects"][0]["name"] == "default"


def test_job_accounts_outlive_the_release():
    """As do their roles."""
    rendered = helm.render({"watchNamespaces": ["a"]})
    for kind, name in (
        ("ServiceAccount", "flink"),
        ("Role", "flink"),
        ("RoleBinding", "flink-role-binding"),
    ):
        annotations = rendered.one(kind, name)["metadata"]["annotations"]
        assert annotations["helm.sh/resource-policy"] == "keep"


def test_key_stores_for_flinks_rest_api():
    """The example for TLS: a Secret with the stores, one with their password."""
    rendered = helm.render(
        None, "tls.create=true", "tls.secretKeyRef.name=jks-password", "tls.secretKeyRef.key=pw"
    )
    assert rendered.env["OPERATOR_TRUSTSTORE_PATH"] == "/opt/flink/tls-cert/truststore.jks"
    [password] = [
        one for one in rendered.container["env"] if one["name"] == "OPERATOR_KEYSTORE_PASSWORD"
    ]
    assert password["valueFrom"]["secretKeyRef"] == {
        "name": "jks-password",
        "key": "pw",
        "optional": True,
    }


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        ({"create": True, "validator": {}, "mutator": {}}, False),
        ({"create": False, "validator": {"create": True}}, True),
        ({"create": True, "keystore": {"useDefaultPassword": False}}, True),
    ],
)
def test_webhook_values_are_accepted(values, asked):
    """The keys `validator` and `mutator` decide alone where they are there."""
    rendered = helm.render({"webhook": values})
    assert ("has no admission webhook" in rendered.notes) is asked


def test_metrics_port_is_a_port_of_the_container():
    """Named `metrics`, as monitors of users expect it."""
    ports = helm.render(None, "metrics.port=9999").container["ports"]
    assert {"name": "metrics", "containerPort": 9999, "protocol": "TCP"} in ports

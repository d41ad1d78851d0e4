"""The chart renders what its values say."""

import pytest
import yaml
from fakes import helm
from fakes.programs import ROOT

from flinkop.config import flat_file, source, standard_file

pytestmark = pytest.mark.chart

LEASE = "kubernetes.operator.leader-election.lease-name"
ROLES = {"Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"}


def options(rendered):
    """The options in the rendered configuration file, read as the operator reads them."""
    name, text = rendered.configuration
    if name == "flink-conf.yaml":
        entries, skipped = flat_file.parse(text)
        assert not skipped
        return entries
    return standard_file.parse(text)


def names(rendered, kind):
    """Namespace and name of all objects of a kind."""
    return {
        (one["metadata"].get("namespace"), one["metadata"]["name"]) for one in rendered.all(kind)
    }


def rules(role):
    """A role's rules as a set that can be compared."""
    return {
        (group, resource, verb, *one.get("resourceNames", ()))
        for one in role["rules"]
        for group in one["apiGroups"]
        for resource in one["resources"]
        for verb in one["verbs"]
    }


@pytest.fixture(scope="module")
def default():
    """The chart with its default values."""
    return helm.render()


def test_lint_finds_nothing():
    """Strictly."""
    helm.run("lint", "--strict", str(helm.CHART))


def test_what_is_installed_by_default(default):
    """The operator for all namespaces, its rights, its configuration, the job account of the release's namespace."""
    kinds = {"ServiceAccount", "ConfigMap", "Deployment", "Service", "Pod"} | ROLES
    assert default.kinds == kinds
    assert names(default, "ServiceAccount") == {("flink", "flink-operator"), ("flink", "flink")}
    assert names(default, "ClusterRole") == {(None, "flink-operator")}
    assert names(default, "Role") == {("flink", "flink-operator-lease"), ("flink", "flink")}
    assert names(default, "RoleBinding") == {
        ("flink", "flink-operator-role-binding-lease"),
        ("flink", "flink-role-binding"),
    }


def test_all_kinds_of_resources_are_part_of_the_release_and_outlive_it():
    """CRDs as templates that Helm keeps."""
    crds = helm.render(crds=True).all("CustomResourceDefinition")
    assert len(crds) == 3
    for crd in crds:
        assert crd["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    assert helm.render({"crds": {"keep": False}}, crds=True).all("CustomResourceDefinition")[0][
        "metadata"
    ].get("annotations") in (None, {})


def test_the_default_configuration_is_that_of_the_package(default):
    """Plus what other values decide: election and the health port."""
    shipped = source.shipped()
    found = options(default)
    decided = {
        "kubernetes.operator.leader-election.enabled": "true",
        LEASE: "flinkop-lease",
        "kubernetes.operator.health.probe.enabled": "true",
        "kubernetes.operator.health.probe.port": "8085",
    }
    assert found == shipped.entries | decided
    data = default.one("ConfigMap")["data"]
    assert (
        data["log4j-console.properties"].strip()
        == shipped.log_files["log4j-console.properties"].strip()
    )


def test_the_pod_is_restricted(default):
    """No root, no capabilities, nothing to write but /tmp and the artifacts."""
    security = default.pod["securityContext"]
    assert security["runAsNonRoot"] is True
    assert security["runAsUser"] == 9999
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert default.container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    writable = {
        one["mountPath"] for one in default.container["volumeMounts"] if not one.get("readOnly")
    }
    assert writable == {"/tmp", "/opt/flink/artifacts"}  # noqa: S108 -- in the pod


def test_rights_are_those_of_the_manifests(default):
    """Cluster-wide all of them; the lease apart, by its name."""
    [manifest] = [
        one
        for one in yaml.safe_load_all(
            (ROOT / "manifests" / "rbac" / "clusterrole.yaml").read_text()
        )
        if one
    ]
    assert rules(default.one("ClusterRole")) == rules(manifest)
    lease = rules(default.one("Role", "flink-operator-lease"))
    assert ("coordination.k8s.io", "leases", "update", "flinkop-lease") in lease
    assert ("coordination.k8s.io", "leases", "create") in lease


def test_with_namespaces_there_is_nothing_cluster_wide():
    """A role and a job account in each namespace; of namespaces only a look at its own."""
    rendered = helm.render({"watchNamespaces": ["a", "b"]})
    assert not rendered.kinds & {"ClusterRole", "ClusterRoleBinding"}
    for namespace in ("a", "b"):
        assert (namespace, "flink-operator") in names(rendered, "Role")
        assert (namespace, "flink-operator-role-binding") in names(rendered, "RoleBinding")
        assert (namespace, "flink") in names(rendered, "Role")
        assert (namespace, "flink") in names(rendered, "ServiceAccount")
    assert ("flink", "flink-operator-lease") in names(rendered, "Role")
    [role] = [
        one
        for one in rendered.all("Role")
        if (one["metadata"]["namespace"], one["metadata"]["name"]) == ("a", "flink-operator")
    ]
    assert {verb for _, resource, verb in rules(role) if resource == "namespaces"} == {"get"}
    assert options(rendered)["kubernetes.operator.watched.namespaces"] == "a,b"


def test_a_cluster_role_of_somebody_else_is_bound_in_each_namespace():
    """A role name with a colon is that of a ClusterRole, as in OpenShift."""
    rendered = helm.render(
        {"watchNamespaces": ["a"], "rbac": {"operatorRole": {"name": "system:flink"}}}
    )
    binding = rendered.one("RoleBinding", "flink-operator-role-binding")
    assert binding["roleRef"]["kind"] == "ClusterRole"
    assert ("a", "system:flink") not in names(rendered, "Role")


def test_without_rbac_there_are_no_roles():
    """The master switch."""
    assert not helm.render(None, "rbac.create=false").kinds & ROLES


def test_further_rules_are_added():
    """Nodes, and what is given."""
    extra = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "patch"]}
    rendered = helm.render({"rbac": {"nodesRule": {"create": True}, "extraRules": [extra]}})
    found = rules(rendered.one("ClusterRole"))
    assert {("", "nodes", "list"), ("", "secrets", "patch")} <= found


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("flink-conf.yaml", f"{LEASE}: theirs\nparallelism.default: 2\n"),
        ("config.yaml", f"{LEASE}: theirs\nparallelism:\n  default: 2\n"),
        (
            "config.yaml",
            "kubernetes.operator: {leader-election: {lease-name: theirs}}\nparallelism.default: 2\n",
        ),
    ],
)
def test_own_options_win_over_the_charts_in_both_formats(name, text):
    """Flat or nested; the file stays readable, and the lease's role follows."""
    rendered = helm.render({"defaultConfiguration": {name: text}})
    found = options(rendered)
    assert rendered.configuration[0] == name
    assert found[LEASE] == "theirs"
    assert found["parallelism.default"] == "2"
    assert found["taskmanager.numberOfTaskSlots"] == "1"
    assert ("coordination.k8s.io", "leases", "update", "theirs") in rules(
        rendered.one("Role", "flink-operator-lease")
    )


def test_without_append_only_what_is_given_counts():
    """And what other values decide; without election the old pod goes before the new one comes."""
    rendered = helm.render(
        {"defaultConfiguration": {"append": False, "flink-conf.yaml": "a.b: c\n"}}
    )
    assert set(options(rendered)) == {
        "a.b",
        "kubernetes.operator.health.probe.enabled",
        "kubernetes.operator.health.probe.port",
    }
    assert rendered.one("Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_a_key_twice_in_yaml_is_refused_before_it_is_installed():
    """The operator could not read the file."""
    text = "kubernetes.operator.health.probe.port: 9000\n"
    with pytest.raises(helm.HelmError, match="which the value operatorHealth"):
        helm.render({"defaultConfiguration": {"config.yaml": text}})
    with pytest.raises(helm.HelmError, match="is not YAML"):
        helm.render({"defaultConfiguration": {"config.yaml": "a: [\n"}})


def test_both_formats_at_once_are_told():
    """The flat file is the one that counts."""
    rendered = helm.render(
        {"defaultConfiguration": {"flink-conf.yaml": "a: b\n", "config.yaml": "a: c\n"}}
    )
    assert rendered.configuration[0] == "flink-conf.yaml"
    assert "config.yaml is not used" in rendered.notes


def test_a_configuration_of_ones_own_is_mounted():
    """Without the chart's ConfigMap the lease is told on the command line."""
    rendered = helm.render(None, "defaultConfiguration.create=false")
    assert "ConfigMap" not in rendered.kinds
    [volume] = [one for one in rendered.pod["volumes"] if "configMap" in one]
    assert volume["configMap"]["name"] == "flink-operator-config"
    assert "--lease-name=flinkop-lease" in rendered.container["args"]


def test_several_replicas_need_an_election():
    """Then they are spread and protected."""
    rendered = helm.render(None, "replicas=2")
    assert rendered.one("PodDisruptionBudget")["spec"]["maxUnavailable"] == 1
    keys = {one["topologyKey"] for one in rendered.pod["topologySpreadConstraints"]}
    assert keys == {"kubernetes.io/hostname", "topology.kubernetes.io/zone"}
    with pytest.raises(helm.HelmError, match="several operators would act at once"):
        helm.render(None, "replicas=2", "leaderElection.enabled=false")


@pytest.mark.parametrize(
    ("sets", "strategy"),
    [
        ((), {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}),
        (("leaderElection.enabled=false",), {"type": "Recreate"}),
        (("strategy.type=Recreate",), {"type": "Recreate"}),
        (("strategy.type=RollingUpdate",), {"type": "RollingUpdate"}),
    ],
)
def test_strategy(sets, strategy):
    """As given; else the new pod takes over from the old one where there is an election."""
    assert helm.render(None, *sets).one("Deployment")["spec"]["strategy"] == strategy


def test_images():
    """By tag, by digest, and by default that of the chart's version."""
    version = yaml.safe_load((helm.CHART / "Chart.yaml").read_text())["appVersion"]
    digest = "sha256:" + "0" * 64
    assert helm.render().container["image"] == f"flinkop:{version}"
    assert helm.render(None, "image.repository=r/x", "image.tag=t").container["image"] == "r/x:t"
    assert helm.render(None, f"image.digest={digest}").container["image"] == f"flinkop@{digest}"


def test_no_health_port_no_probes():
    """`operatorHealth: null` removes all of it."""
    rendered = helm.render({"operatorHealth": None})
    assert not {"startupProbe", "livenessProbe", "ports"} & set(rendered.container)
    assert "kubernetes.operator.health.probe.port" not in options(rendered)
    assert not {"Service", "Pod"} & rendered.kinds


@pytest.mark.parametrize("create", ["true", "false"])
def test_the_webhook_that_is_not_there_yet_is_told(create):
    """Nothing is rendered for it either way, and the notes say so where it was asked for."""
    rendered = helm.render(None, f"webhook.create={create}")
    assert not {"ValidatingWebhookConfiguration", "Certificate", "Secret"} & rendered.kinds
    assert ("has no admission webhook" in rendered.notes) is (create == "true")


def test_what_has_no_effect_is_told():
    """JVM arguments, and values that nobody knows."""
    notes = helm.render({"jvmArgs": {"operator": "-Xmx1g"}, "replicaCount": 3}).notes
    assert "jvmArgs has no effect" in notes
    assert "replicaCount is not known" in notes


def test_a_value_of_the_wrong_type_is_refused():
    """By the schema, with its path."""
    with pytest.raises(helm.HelmError, match="replicas"):
        helm.render({"replicas": "many"})


def test_monitors_need_the_prometheus_operator_and_are_made_when_asked_for():
    """On the health port, or on the port that the values name."""
    both = ("metrics.podMonitor.create=true", "metrics.serviceMonitor.create=true")
    rendered = helm.render(None, *both)
    assert rendered.one("PodMonitor")["spec"]["podMetricsEndpoints"][0]["port"] == "health-port"
    assert rendered.one("ServiceMonitor")["spec"]["endpoints"][0]["port"] == "health-port"
    assert (
        helm.render(None, *both, "metrics.port=9999").one("PodMonitor")["spec"][
            "podMetricsEndpoints"
        ][0]["port"]
        == "metrics"
    )


def test_network_policy_and_flow_schema():
    """Only when asked for."""
    rendered = helm.render(
        None, "networkPolicy.create=true", "leaderElection.flowSchema.create=true"
    )
    assert rendered.one("NetworkPolicy")["spec"]["ingress"] == [
        {"ports": [{"protocol": "TCP", "port": 8085}]}
    ]
    subject = rendered.one("FlowSchema")["spec"]["rules"][0]["subjects"][0]["serviceAccount"]
    assert subject == {"name": "flink-operator", "namespace": "flink"}

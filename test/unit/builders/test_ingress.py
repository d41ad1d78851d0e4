"""Ingresses against recorded ones."""

import pytest
from fakes import goldencase

from flinkop.api.common import IngressSpec, IngressTls
from flinkop.builders import ingress
from flinkop.builders.errors import BuildError
from flinkop.builders.identity import ClusterIdentity
from flinkop.config.flink_conf import FlinkConf

APP = ClusterIdentity("my-ns", "my-app", "uid-1", 1)
RECORDED = {
    "full": IngressSpec(
        template="{{name}}.{{namespace}}.flink.k8s.io/",
        class_name="nginx",
        annotations={"nginx.ingress.kubernetes.io/rewrite-target": "/$2"},
        labels={"team": "a", "component": "x"},
        tls=(IngressTls(hosts=("h1", "h2"), secret_name="tls"),),  # noqa: S106 - a name
    ),
    "template-domain": IngressSpec(template="{{name}}.{{namespace}}.flink.k8s.io"),
    "template-domain-slash": IngressSpec(template="{{name}}.{{namespace}}.flink.k8s.io/"),
    "template-domain-path": IngressSpec(template="flink.k8s.io/{{namespace}}/{{name}}(/|$)(.*)"),
    "template-path": IngressSpec(template="/{{namespace}}/{{name}}(/|$)(.*)"),
    "template-scheme": IngressSpec(template="https://{{name}}.x.io/a?b=c#d"),
    "template-port": IngressSpec(template="x.io:8443/{{name}}"),
    "template-spaces": IngressSpec(template="{{ name }}.x.io"),
    "template-uppercase": IngressSpec(template="{{NAME}}.{{Namespace}}.x.io"),
}


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize(("version", "server"), [("v1", (1, 30)), ("v1beta1", (1, 18))])
def test_recorded(name, version, server):
    """Every template, for both versions of the API, gives the recorded Ingress."""
    recorded = goldencase.load(goldencase.GOLDEN / "ingress" / f"{name}.{version}.yaml")
    conf = FlinkConf({"rest.port": "8082"} if name == "full" else {})
    made = ingress.build(RECORDED[name], APP, conf, server)
    owners = made["metadata"].pop("ownerReferences")
    assert made == recorded
    assert owners == [
        {
            "apiVersion": "flink.apache.org/v1beta1",
            "kind": "FlinkDeployment",
            "name": "my-app",
            "uid": "uid-1",
            "blockOwnerDeletion": True,
            "controller": True,
        }
    ]


@pytest.mark.parametrize("template", ["host:port/x", "[::1", "http://[x"])
def test_bad_templates(template):
    """What is no URL is refused, with the template."""
    with pytest.raises(BuildError, match="Unable to process the Ingress template"):
        ingress.host_and_path(template, APP)


@pytest.mark.parametrize(
    ("template", "host", "path"),
    [
        ("HTTPS://{{name}}/x", "my-app", "/x"),
        ("a.io?x={{name}}", "a.io", ""),
        ("user@a.io:80", "a.io", ""),
        ("[::1]:80/x", "[::1]", "/x"),
        ("", "", ""),
    ],
)
def test_host_and_path(template, host, path):
    """Scheme, user, port, query and fragment do not count."""
    assert ingress.host_and_path(template, APP) == (host, path)


def test_bad_port():
    """A REST port that is no number is refused like any other setting."""
    with pytest.raises(BuildError, match=r"rest\.port"):
        ingress.build(RECORDED["template-path"], APP, FlinkConf({"rest.port": "x"}))

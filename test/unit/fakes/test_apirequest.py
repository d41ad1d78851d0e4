"""Requests are read as the API server reads them."""

import pytest
from fakes.apirequest import parse

FLINK = "/apis/flink.apache.org/v1beta1"


@pytest.mark.parametrize(
    ("method", "target", "words"),
    [
        ("GET", "/version", "get /version"),
        ("GET", "/apis/apps/v1", "get /apis/apps/v1"),
        ("GET", "/api/v1/namespaces", "list namespaces"),
        ("GET", "/api/v1/namespaces/demo", "get namespaces demo"),
        ("PUT", "/api/v1/namespaces/demo/finalize", "update namespaces/finalize demo"),
        ("GET", f"{FLINK}/flinkdeployments?limit=500", "list flinkdeployments"),
        ("GET", f"{FLINK}/flinkdeployments?watch=1", "watch flinkdeployments"),
        ("GET", f"{FLINK}/namespaces/a/flinkdeployments?watch=true", "watch flinkdeployments a"),
        ("GET", f"{FLINK}/namespaces/a/flinkdeployments/b", "get flinkdeployments a/b"),
        ("POST", f"{FLINK}/namespaces/a/flinkdeployments", "create flinkdeployments a"),
        (
            "PATCH",
            f"{FLINK}/namespaces/a/flinkdeployments/b/status",
            "patch flinkdeployments/status a/b",
        ),
        ("DELETE", "/api/v1/namespaces/a/pods/b", "delete pods a/b"),
        ("DELETE", "/api/v1/namespaces/a/pods", "deletecollection pods a"),
        (
            "POST",
            "/api/v1/namespaces/a/services/x-rest:8081/proxy/jobs/1/stop",
            "create services/proxy a/x-rest:8081",
        ),
        ("GET", "/api/v1/namespaces/a/pods/b/log?follow=true", "get pods/log a/b"),
    ],
)
def test_words(method, target, words):
    """Method, path and query give verb, resource, subresource, namespace and name."""
    assert str(parse(method, target)) == words


def test_stream_and_write():
    """Watches and followed logs are streams; POST, PUT, PATCH and DELETE are writes."""
    assert parse("GET", "/api/v1/pods?watch=1").stream
    assert parse("GET", "/api/v1/namespaces/a/pods/b/log?follow=true").stream
    assert not parse("GET", "/api/v1/pods?watch=false").stream
    assert parse("DELETE", "/api/v1/namespaces/a/pods/b").write
    assert not parse("GET", "/api/v1/pods").write


def test_body():
    """The body is decoded on demand; what is no JSON reads as None."""
    assert parse("POST", "/api/v1/namespaces", b'{"a": 1}').json() == {"a": 1}
    assert parse("POST", "/api/v1/namespaces", b"\x00").json() is None

import pytest

from flinkop.kube import meta, request
from flinkop.kube.meta import ObjectKey

KEY = ObjectKey("ns", "a")


@pytest.mark.parametrize(
    ("call", "method", "path", "query"),
    [
        (request.get(meta.PODS, KEY), "GET", "/api/v1/namespaces/ns/pods/a", {}),
        (request.get(meta.NAMESPACES, ObjectKey("", "a")), "GET", "/api/v1/namespaces/a", {}),
        (
            request.get(meta.FLINKDEPLOYMENTS, KEY, "status"),
            "GET",
            "/apis/flink.apache.org/v1beta1/namespaces/ns/flinkdeployments/a/status",
            {},
        ),
        (request.list_page(meta.PODS), "GET", "/api/v1/pods", {"limit": "500"}),
        (
            request.list_page(
                meta.PODS,
                "ns",
                label_selector="a=b",
                limit=None,
                continue_token="t",  # noqa: S106 - a page
            ),
            "GET",
            "/api/v1/namespaces/ns/pods",
            {"labelSelector": "a=b", "continue": "t"},
        ),
        (
            request.watch(meta.DEPLOYMENTS, resource_version="5", timeout_seconds=300),
            "GET",
            "/apis/apps/v1/deployments",
            {
                "watch": "true",
                "allowWatchBookmarks": "true",
                "resourceVersion": "5",
                "timeoutSeconds": "300",
            },
        ),
        (
            request.watch(meta.DEPLOYMENTS, send_initial_events=True),
            "GET",
            "/apis/apps/v1/deployments",
            {
                "watch": "true",
                "allowWatchBookmarks": "true",
                "sendInitialEvents": "true",
                "resourceVersionMatch": "NotOlderThan",
            },
        ),
        (request.create(meta.PODS, "ns"), "POST", "/api/v1/namespaces/ns/pods", {}),
        (
            request.create(meta.PODS, "ns", field_manager="m", dry_run=True),
            "POST",
            "/api/v1/namespaces/ns/pods",
            {"fieldManager": "m", "dryRun": "All"},
        ),
        (request.replace(meta.PODS, KEY), "PUT", "/api/v1/namespaces/ns/pods/a", {}),
        (
            request.merge_patch(meta.PODS, KEY, subresource="status"),
            "PATCH",
            "/api/v1/namespaces/ns/pods/a/status",
            {},
        ),
        (
            request.apply(meta.PODS, KEY, field_manager="m"),
            "PATCH",
            "/api/v1/namespaces/ns/pods/a",
            {"fieldManager": "m", "force": "true"},
        ),
        (request.delete(meta.PODS, KEY), "DELETE", "/api/v1/namespaces/ns/pods/a", {}),
        (
            request.service_proxy("GET", "ns", "c-rest", 8081, "/jobs/a%2Fb", query=[("x", "1")]),
            "GET",
            "/api/v1/namespaces/ns/services/c-rest:8081/proxy/jobs/a%2Fb",
            {"x": "1"},
        ),
        (
            request.service_proxy("POST", "ns", "c-rest", "rest", "jars upload", scheme="https"),
            "POST",
            "/api/v1/namespaces/ns/services/https:c-rest:rest/proxy/jars%20upload",
            {},
        ),
    ],
)
def test_where_it_goes(call, method, path, query):
    """Each verb gives its method, path and query."""
    assert (call.method, call.path, dict(call.query)) == (method, path, query)


def test_reads_and_writes():
    """Only writes pass the fence; only a create must not be sent twice."""
    writes = [
        request.create(meta.PODS, "ns"),
        request.replace(meta.PODS, KEY),
        request.merge_patch(meta.PODS, KEY),
        request.apply(meta.PODS, KEY, field_manager="m"),
        request.delete(meta.PODS, KEY),
        request.service_proxy("PATCH", "ns", "s", 1, "/"),
    ]
    reads = [
        request.get(meta.PODS, KEY),
        request.list_page(meta.PODS),
        request.watch(meta.PODS),
        request.service_proxy("GET", "ns", "s", 1, "/"),
    ]
    assert all(call.write for call in writes)
    assert not any(call.write for call in reads)
    assert [call.verb for call in writes + reads if not call.idempotent] == ["create", "proxy"]


def test_counting_names():
    """A subresource is counted apart."""
    assert (
        request.merge_patch(meta.FLINKDEPLOYMENTS, KEY, subresource="status").resource
        == "flinkdeployments/status"
    )
    assert request.get(meta.LEASES, KEY).lease
    assert not request.get(meta.PODS, KEY).lease


def test_content_types():
    """A patch says which kind it is."""
    assert request.merge_patch(meta.PODS, KEY).content_type == "application/merge-patch+json"
    assert (
        request.apply(meta.PODS, KEY, field_manager="m").content_type
        == "application/apply-patch+yaml"
    )
    assert request.with_content_type(request.create(meta.PODS, "n"), "a/b").content_type == "a/b"


def test_namespace_needed():
    """A namespaced object without its namespace would hit another path, and is refused."""
    with pytest.raises(ValueError, match="needs a namespace"):
        request.get(meta.PODS, ObjectKey("", "a"))


def test_names_are_encoded():
    """No name can leave its place in the path."""
    assert request.get(meta.PODS, ObjectKey("ns", "a/../b?c")).path.endswith("/pods/a%2F..%2Fb%3Fc")


def test_delete_options():
    """Only what is set is sent."""
    assert request.delete_options() == {"kind": "DeleteOptions", "apiVersion": "v1"}
    full = request.delete_options(propagation="Foreground", uid="u", resource_version="5", grace=0)
    assert full["propagationPolicy"] == "Foreground"
    assert full["preconditions"] == {"uid": "u", "resourceVersion": "5"}
    assert full["gracePeriodSeconds"] == 0
    assert request.delete_options(dry_run=True)["dryRun"] == ["All"]

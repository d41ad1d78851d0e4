"""The bare client's objects: what was captured, under another name."""

import msgspec
from bench.template import CAPTURED, Template, as_written


def test_what_the_server_added_is_left_out():
    """Only what a client may write stays; uids become place holders."""
    item = {
        "metadata": {
            "name": CAPTURED,
            "uid": "1",
            "resourceVersion": "7",
            "ownerReferences": [{"uid": "owner-uid"}],
        },
        "spec": {"clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"], "ports": []},
        "status": {"loadBalancer": {}},
    }
    written = msgspec.json.decode(as_written(item, {"owner-uid": "place"}))
    assert written == {
        "metadata": {"name": CAPTURED, "ownerReferences": [{"uid": "place"}]},
        "spec": {"ports": []},
    }


def test_a_headless_service_stays_headless():
    """`clusterIP: None` is a choice, not an address the server gave."""
    item = {"metadata": {"name": "a"}, "spec": {"clusterIP": "None", "clusterIPs": ["None"]}}
    assert msgspec.json.decode(as_written(item, {}))["spec"] == {"clusterIP": "None"}


def test_names_and_uids_are_exchanged(tmp_path):
    """The copy survives its file, and carries the new resource's name in every place."""
    body = msgspec.json.encode({"metadata": {"name": f"{CAPTURED}-rest"}})
    captured = Template(
        body, [("/services", body)], {"lifecycleState": "STABLE", "error": CAPTURED}
    )
    captured.save(tmp_path / "template.json")
    made = Template.load(tmp_path / "template.json").for_resource("job-1", "uid-1")
    assert made.deployment[1] == b'{"metadata":{"name":"job-1-rest"}}'
    assert made.owned_by("d")[0] == ("/services", b'{"metadata":{"name":"job-1-rest"}}')
    status = msgspec.json.decode(made.status("DEPLOYED", 3))["status"]
    assert status == {"lifecycleState": "DEPLOYED", "error": "job-1", "observedGeneration": 3}

"""The demo's story, told from watch events."""

from hack.demo.story import Story
from hack.demo.view import plain


def story():
    """A story whose clock stands at 1.5 s."""
    return Story("basic", lambda: 1.5)


def deployment_event(what, lifecycle, job=None):
    """A watch event of the FlinkDeployment."""
    status = {"lifecycleState": lifecycle, "jobStatus": {"state": job, "jobName": "wordcount"}}
    return {"type": what, "object": {"metadata": {"name": "basic"}, "status": status}}


def pod_event(what, phase, name="basic-taskmanager-1-1"):
    """A watch event of a pod of the cluster."""
    item = {
        "metadata": {"name": name, "labels": {"app": "basic"}},
        "spec": {"nodeName": "node-0"},
        "status": {"phase": phase},
    }
    return {"type": what, "object": item}


def texts(told):
    """What was told, without times."""
    return [f"{line.about}: {line.text}" for line in told.lines]


def test_each_lifecycle_state_is_told_once():
    """A state that comes again in a later event is not told again."""
    told = story()
    told.hear("FlinkDeployment", deployment_event("ADDED", "CREATED"))
    told.hear("FlinkDeployment", deployment_event("MODIFIED", "DEPLOYED"))
    told.hear("FlinkDeployment", deployment_event("MODIFIED", "DEPLOYED"))
    assert texts(told) == [
        "FlinkDeployment basic: created",
        "FlinkDeployment basic: is CREATED",
        "FlinkDeployment basic: is DEPLOYED",
    ]
    assert told.milestones == {"CREATED": 1.5, "DEPLOYED": 1.5}


def test_the_story_ends_when_the_resource_is_stable():
    """STABLE is what the demo waits for; the job's state is told by its name."""
    told = story()
    assert not told.stable
    told.hear("FlinkDeployment", deployment_event("MODIFIED", "STABLE", "RUNNING"))
    assert told.stable
    assert "Job wordcount: is RUNNING" in texts(told)


def test_objects_come_and_go():
    """A pod is listed with its node while it exists."""
    told = story()
    told.hear("Pod", pod_event("ADDED", "Pending"))
    told.hear("Pod", pod_event("MODIFIED", "Running"))
    assert told.objects == {"Pod basic-taskmanager-1-1": "Running on node-0"}
    told.hear("Pod", pod_event("DELETED", "Running"))
    assert told.objects == {}


def test_objects_of_others_are_left_out():
    """Only what carries the cluster's label, or its name, belongs to the story."""
    told = story()
    event = pod_event("ADDED", "Running", "other")
    event["object"]["metadata"]["labels"] = {"app": "other"}
    told.hear("Pod", event)
    assert told.lines == []


def test_an_error_is_told():
    """What the operator says is wrong must be seen in the demo."""
    told = story()
    event = deployment_event("MODIFIED", "DEPLOYED")
    event["object"]["status"]["error"] = "the image cannot be pulled"
    told.hear("FlinkDeployment", event)
    assert "FlinkDeployment basic: error: the image cannot be pulled" in texts(told)


def test_events_about_the_resource_are_told_with_their_note():
    """Kubernetes events appear by reason and note; those about other objects do not."""
    told = story()
    regarding = {"kind": "FlinkDeployment", "name": "basic"}
    item = {"regarding": regarding, "reason": "Submit", "note": "starting"}
    told.hear("Event", {"type": "ADDED", "object": item})
    told.hear("Event", {"type": "ADDED", "object": {**item, "regarding": {"kind": "Pod"}}})
    assert [plain(line) for line in told.lines] == [
        "   1.50 s  Event Submit                     starting"
    ]

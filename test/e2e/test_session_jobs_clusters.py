"""Session clusters and their jobs: who keeps whom, and what is refused."""

import http.server
import threading

import pytest
from fakes.flinkuser import app, condition
from fakes.sessionjobuser import SessionJob, session_cluster, stable_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

EMPTY_JAR = b"PK\x05\x06" + bytes(18)


@pytest.fixture(scope="module")
def jar_server():
    """A web server that has one jar, and a page; its address and what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, dict(self.headers)))
            body = EMPTY_JAR if self.path.endswith(".jar") else b"<html>login</html>"
            found = "missing" not in self.path
            self.send_response(200 if found else 404)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", '"1"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_jar_is_fetched_and_run(place, jar_server):
    """With the headers of the job's own configuration."""
    address, asked = jar_server
    headers = {"kubernetes.operator.user.artifacts.http.header": "X-Token:secret"}
    job = SessionJob(stable_cluster(place)).submit(
        job={"jarURI": f"{address}/a.jar", "entryClass": "a.Main", "args": ["--x", "1"]},
        flinkConfiguration=headers,
    )
    job.wait_stable()
    assert ("X-Token", "secret") in dict(asked)["/a.jar"].items()
    assert job.cluster.sim()["calls"]["DELETE /jars/:jarid"] == 1


def test_a_page_is_no_jar(place, jar_server):
    """It is said once, with what to do, and mended by a change."""
    address, _ = jar_server
    job = SessionJob(stable_cluster(place)).submit(job={"jarURI": f"{address}/login"})
    said = job.wait_stalled("NotAJar")
    assert "jar" in said["message"]
    job.wait_stable(job.change(job={"jarURI": f"{address}/b.jar"}))
    assert len(job.runs()) == 1


def test_a_jar_that_is_missing_is_waited_for(place, jar_server):
    """The condition names it; it may be published yet."""
    address, _ = jar_server
    job = SessionJob(stable_cluster(place)).submit(job={"jarURI": f"{address}/missing.jar"})
    job.wait_error("missing.jar")
    obj = job.until(lambda obj: condition(obj, "Ready").get("reason") == "Missing")
    assert condition(obj, "Stalled")["status"] == "False"


@pytest.mark.parametrize(
    ("uri", "reason"),
    [("ftp://jars/a.jar", "RefusedScheme"), ("jars/a.jar", "InvalidUri")],
)
def test_a_jar_that_is_refused(place, uri, reason):
    """Before anything is recorded (S4)."""
    job = SessionJob(stable_cluster(place)).submit(job={"jarURI": uri})
    job.wait_stalled(reason)
    job.wait_event("ValidationError")
    assert "reconciliationStatus" not in job.status or not job.status["reconciliationStatus"].get(
        "lastReconciledSpec"
    )


def test_a_main_method_that_fails(place):
    """Flink's words are in the status; once it works, the job runs."""
    cluster = stable_cluster(place)
    cluster.order(submit="refuse")
    job = SessionJob(cluster).submit()
    job.wait_error("The main method caused an error")
    cluster.no_orders()
    job.wait_stable()
    assert len(job.runs()) == 1


def test_an_application_takes_no_session_jobs(place):
    """S6."""
    job = SessionJob(place.stable(app())).submit()
    job.wait_stalled("NoSessionCluster")


def test_a_session_job_stays_on_its_cluster(place):
    """S3: already the API server refuses the change."""
    job = SessionJob(stable_cluster(place)).submit().wait_stable()
    with pytest.raises(Exception, match=r"deploymentName"):
        job.change(deploymentName="another")


def test_a_cluster_is_kept_by_its_jobs(place):
    """X-15: its deletion names them, and goes on when they are gone."""
    job = SessionJob(stable_cluster(place)).submit().wait_stable()
    job.cluster.delete()
    job.cluster.wait_event("CleanupFailed", words=job.name)
    assert condition(job.cluster.get(), "Stalled")["reason"] == "DeletionBlocked"
    job.delete()
    job.wait_gone()
    job.cluster.wait_nothing_left()
    assert job.events("CleanupFailed") == []


def test_a_cluster_may_take_its_jobs_with_it(place):
    """Where the option says so; a job whose cluster is gone waits for another."""
    option = {"kubernetes.operator.session.deletion.block-on-session-jobs": "false"}
    job = SessionJob(stable_cluster(place, flinkConfiguration=option)).submit().wait_stable()
    job.cluster.delete()
    job.cluster.wait_nothing_left()
    job.until(lambda obj: condition(obj, "Ready").get("reason") == "SessionClusterMissing")
    job.delete()
    job.wait_gone()


def test_a_deadline_ends_the_wait_for_session_jobs(place):
    """`kubernetes.operator.deletion.deadline`: then the cluster goes with its jobs, and it is said."""
    option = {"kubernetes.operator.deletion.deadline": "2 s"}
    job = SessionJob(stable_cluster(place, flinkConfiguration=option)).submit().wait_stable()
    job.cluster.delete()
    job.cluster.wait_event("CleanupFailed", words="deletion.deadline")
    job.cluster.wait_nothing_left()


def test_a_namespace_is_deleted_with_cluster_and_jobs(stage, user, doomed_place):
    """Nothing waits for anything that cannot come any more."""
    job = SessionJob(stable_cluster(doomed_place, ha=True)).submit().wait_stable()
    stage.plane.kubectl("delete", "namespace", doomed_place.namespace, "--wait=false")
    job.wait_gone()
    job.cluster.wait_gone()


def test_the_last_state_of_a_deleted_cluster_needs_no_job(place):
    """A session job that is deleted after its cluster goes at once (R-124)."""
    cluster = place.create(session_cluster()).wait_stable()
    job = SessionJob(cluster).submit().wait_stable()
    cluster.delete()
    job.delete()
    job.wait_gone()
    cluster.wait_nothing_left()

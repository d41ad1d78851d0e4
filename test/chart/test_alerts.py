"""Each alert fires on the failure it is for, and not when all is well; asked of Prometheus's own promtool."""

import os
import shutil
import subprocess

import attrs
import pytest
import yaml
from fakes import helm

PROMTOOL = os.environ.get("FLINKOP_PROMTOOL") or shutil.which("promtool")
pytestmark = [
    pytest.mark.chart,
    pytest.mark.skipif(not PROMTOOL, reason="promtool is not on PATH; `make promtool` builds it"),
]

GROUPS = yaml.safe_load((helm.CHART / "files" / "monitoring" / "alerts.yaml").read_text())
RULES = {rule["alert"]: rule for group in GROUPS for rule in group["rules"]}
R = "flink_k8soperator_namespace"
NS = '{resourcens="a",resourcetype="FlinkDeployment"}'


@attrs.frozen
class Case:
    """Series by minute, in promtool's notation: with them the alert fires, or does not.

    Attributes:
        fires: what goes wrong.
        quiet: the like of it that is no failure.
        after: minutes until one looks.
    """

    fires: dict[str, str]
    quiet: dict[str, str]
    after: int = 40


CASES = {
    "FlinkopAbsent": Case({"up": "1x60"}, {'flinkop_build_info{version="1"}': "1x60"}),
    "FlinkopNoLeader": Case(
        {
            'flinkop_leader{lease="n/l",pod="a"}': "0x60",
            'flinkop_leader{lease="n/l",pod="b"}': "0x60",
        },
        {
            'flinkop_leader{lease="n/l",pod="a"}': "0x60",
            'flinkop_leader{lease="n/l",pod="b"}': "1x60",
            'flinkop_leader{lease="",pod="c"}': "0x60",
        },
    ),
    "FlinkopLeaseRenewalsFail": Case(
        {'flinkop_leader_renewal_failures_total{lease="n/l"}': "0+5x60"},
        {'flinkop_leader_renewal_failures_total{lease="n/l"}': "0x30 1x30"},
    ),
    "FlinkopWatchBroken": Case(
        {'flinkop_informer_state{resource="pods",namespace="a",state="forbidden"}': "1x60"},
        {
            'flinkop_informer_state{resource="pods",namespace="a",state="forbidden"}': "1x2 0x60",
            'flinkop_informer_state{resource="pods",namespace="a",state="synced"}': "0x2 1x60",
        },
    ),
    "FlinkopUndecodableObjects": Case(
        {'flinkop_informer_undecodable_total{resource="flinkdeployments"}': "0x30 1x30"},
        {'flinkop_informer_undecodable_total{resource="flinkdeployments"}': "1x60"},
    ),
    "FlinkopQueueStuck": Case(
        {'flinkop_workqueue_longest_wait_seconds{queue="q"}': "0+60x60"},
        {'flinkop_workqueue_longest_wait_seconds{queue="q"}': "5x60"},
    ),
    "FlinkopReconcileHangs": Case(
        {'flinkop_workqueue_longest_run_seconds{queue="q"}': "0x38 110x9"},
        {'flinkop_workqueue_longest_run_seconds{queue="q"}': "30x60"},
    ),
    "FlinkopReconcileErrors": Case(
        {'flinkop_reconciles_total{controller="c",result="error"}': "0+10x60"},
        {
            'flinkop_reconciles_total{controller="c",result="error"}': "0x30 1x30",
            'flinkop_reconciles_total{controller="c",result="success"}': "0+100x60",
        },
    ),
    "FlinkopApiServerErrors": Case(
        {
            'flinkop_client_requests_total{code="503"}': "0+20x60",
            'flinkop_client_requests_total{code="200"}': "0+100x60",
        },
        {
            'flinkop_client_requests_total{code="404"}': "0+50x60",
            'flinkop_client_requests_total{code="503"}': "0+1x60",
            'flinkop_client_requests_total{code="200"}': "0+100x60",
        },
    ),
    "FlinkopForbidden": Case(
        {'flinkop_client_requests_total{verb="get",resource="pods",code="403"}': "0+1x60"},
        {'flinkop_client_requests_total{verb="get",resource="pods",code="403"}': "3x60"},
    ),
    "FlinkopEventLoopBlocked": Case(
        {
            'flinkop_event_loop_pause_seconds_bucket{le="0.5"}': "0+1x60",
            'flinkop_event_loop_pause_seconds_bucket{le="5.0"}': "0+10x60",
            'flinkop_event_loop_pause_seconds_bucket{le="+Inf"}': "0+10x60",
        },
        {
            'flinkop_event_loop_pause_seconds_bucket{le="0.5"}': "0+10x60",
            'flinkop_event_loop_pause_seconds_bucket{le="5.0"}': "0+10x60",
            'flinkop_event_loop_pause_seconds_bucket{le="+Inf"}': "0+10x60",
        },
    ),
    "FlinkopMemoryLow": Case(
        {
            'flink_k8soperator_Status_JVM_Memory_Heap_Used{host="p"}': "95x60",
            'flink_k8soperator_Status_JVM_Memory_Heap_Max{host="p"}': "100x60",
        },
        {
            'flink_k8soperator_Status_JVM_Memory_Heap_Used{host="p"}': "95x60",
            'flink_k8soperator_Status_JVM_Memory_Heap_Max{host="p"}': "-1x60",
        },
    ),
    "FlinkResourceFailed": Case(
        {f"{R}_Lifecycle_State_FAILED_Count{NS}": "1x60"},
        {f"{R}_Lifecycle_State_FAILED_Count{NS}": "1x2 0x60"},
    ),
    "FlinkResourceRolledBack": Case(
        {f"{R}_Lifecycle_State_ROLLED_BACK_Count{NS}": "2x60"},
        {f"{R}_Lifecycle_State_ROLLED_BACK_Count{NS}": "0x60"},
    ),
    "FlinkUpgradeSlow": Case(
        {
            f"{R}_Lifecycle_State_UPGRADING_Count{NS}": "1x20 0x40",
            f"{R}_Lifecycle_State_DEPLOYED_Count{NS}": "0x20 1x40",
        },
        {
            f"{R}_Lifecycle_State_UPGRADING_Count{NS}": "1x20 0x40",
            f"{R}_Lifecycle_State_DEPLOYED_Count{NS}": "0x20 1x2 0x38",
        },
    ),
    "FlinkJobManagerError": Case(
        {
            f"{R}_JmDeploymentStatus_ERROR_Count{NS}": "1x60",
            f"{R}_JmDeploymentStatus_MISSING_Count{NS}": "0x60",
        },
        {
            f"{R}_JmDeploymentStatus_ERROR_Count{NS}": "0x20 1x5 0x35",
            f"{R}_JmDeploymentStatus_MISSING_Count{NS}": "0x60",
        },
    ),
    "FlinkSavepointsFail": Case(
        {f"{R}_Savepoint_State_FAILED_Count{NS}": "0x30 1x30"},
        {f"{R}_Savepoint_State_FAILED_Count{NS}": "3x60"},
    ),
}


def test_every_alert_has_a_case():
    """And the other way round."""
    assert set(CASES) == set(RULES)


def test_promtool_accepts_all(tmp_path):
    """Rules and what they are tested with; a message is shown with the values that it got."""
    rules = tmp_path / "rules.yaml"
    rules.write_text(yaml.safe_dump({"groups": GROUPS}))
    tests = [
        test for alert, case in CASES.items() for test in (_fires(alert, case), _quiet(alert, case))
    ]
    suite = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "suite.yaml").write_text(yaml.safe_dump(suite))
    command = [str(PROMTOOL), "test", "rules", str(tmp_path / "suite.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _fires(alert, case):
    """A test that an alert fires, once."""
    query = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    return {
        "name": f"{alert} fires",
        "interval": "1m",
        "input_series": _series(case.fires),
        "promql_expr_test": [
            {
                "expr": query,
                "eval_time": f"{case.after}m",
                "exp_samples": [{"labels": "{}", "value": 1}],
            }
        ],
    }


def _quiet(alert, case):
    """A test that it does not."""
    return {
        "name": f"{alert} is quiet",
        "interval": "1m",
        "input_series": _series(case.quiet),
        "alert_rule_test": [{"eval_time": f"{case.after}m", "alertname": alert, "exp_alerts": []}],
    }


def _series(series):
    return [{"series": name, "values": values} for name, values in series.items()]

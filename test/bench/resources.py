"""What the benchmark creates: stateless application clusters with a spec of typical size."""

import msgspec

NAMESPACE = "bench"

LOG4J = """\
rootLogger.level = INFO
rootLogger.appenderRef.console.ref = ConsoleAppender
logger.akka.name = akka
logger.akka.level = INFO
logger.kafka.name = org.apache.kafka
logger.kafka.level = INFO
logger.hadoop.name = org.apache.hadoop
logger.hadoop.level = INFO
logger.zookeeper.name = org.apache.zookeeper
logger.zookeeper.level = INFO
appender.console.name = ConsoleAppender
appender.console.type = CONSOLE
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{yyyy-MM-dd HH:mm:ss,SSS} %-5p %-60c %x - %m%n
logger.netty.name = org.apache.flink.shaded.akka.org.jboss.netty
logger.netty.level = OFF
"""

CONFIGURATION = {
    "taskmanager.numberOfTaskSlots": "2",
    "execution.checkpointing.interval": "60 s",
    "execution.checkpointing.mode": "EXACTLY_ONCE",
    "execution.checkpointing.timeout": "10 min",
    "execution.checkpointing.min-pause": "30 s",
    "execution.checkpointing.max-concurrent-checkpoints": "1",
    "execution.checkpointing.externalized-checkpoint-retention": "RETAIN_ON_CANCELLATION",
    "state.backend.type": "rocksdb",
    "state.backend.incremental": "true",
    "state.checkpoints.dir": "s3://flink-state/checkpoints",
    "state.savepoints.dir": "s3://flink-state/savepoints",
    "restart-strategy.type": "exponential-delay",
    "restart-strategy.exponential-delay.initial-backoff": "1 s",
    "restart-strategy.exponential-delay.max-backoff": "2 min",
    "metrics.reporters": "prom",
    "metrics.reporter.prom.factory.class": (
        "org.apache.flink.metrics.prometheus.PrometheusReporterFactory"
    ),
    "metrics.reporter.prom.port": "9249-9260",
    "taskmanager.memory.managed.fraction": "0.4",
    "taskmanager.network.memory.fraction": "0.1",
    "pipeline.object-reuse": "true",
    "pipeline.auto-watermark-interval": "200 ms",
    "table.exec.state.ttl": "36 h",
    "web.cancel.enable": "false",
    "kubernetes.jobmanager.annotations": "team:orders,cost-center:4711",
    "kubernetes.taskmanager.annotations": "team:orders,cost-center:4711",
    "execution.checkpointing.unaligned.enabled": "true",
    "execution.checkpointing.aligned-checkpoint-timeout": "30 s",
    "execution.checkpointing.tolerable-failed-checkpoints": "5",
    "state.backend.rocksdb.memory.managed": "true",
    "state.backend.rocksdb.predefined-options": "SPINNING_DISK_OPTIMIZED_HIGH_MEM",
    "state.checkpoints.num-retained": "3",
    "taskmanager.memory.jvm-metaspace.size": "256m",
    "jobmanager.memory.jvm-metaspace.size": "256m",
    "akka.ask.timeout": "60 s",
    "heartbeat.timeout": "120 s",
    "s3.path.style.access": "true",
    "s3.endpoint": "https://objects.example.com",
    "fs.s3a.connection.maximum": "200",
    "fs.s3a.threads.max": "64",
    "table.exec.mini-batch.enabled": "true",
    "table.exec.mini-batch.allow-latency": "500 ms",
    "table.exec.mini-batch.size": "5000",
    "env.java.opts.all": "-XX:+UseG1GC -XX:MaxGCPauseMillis=200 -Dfile.encoding=UTF-8",
}


def names(count: int) -> list[str]:
    """Names of the benchmark's resources, in order."""
    return [f"job-{number:05d}" for number in range(count)]


def flinkdeployment(name: str) -> bytes:
    """One FlinkDeployment as JSON, about 4 KB."""
    resource = {"memory": "1024m", "cpu": 0.1}
    body = {
        "apiVersion": "flink.apache.org/v1beta1",
        "kind": "FlinkDeployment",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/part-of": "orders", "team": "orders"},
        },
        "spec": {
            "image": "flink:1.20",
            "imagePullPolicy": "IfNotPresent",
            "flinkVersion": "v1_20",
            "serviceAccount": "flink",
            "flinkConfiguration": CONFIGURATION,
            "logConfiguration": {"log4j-console.properties": LOG4J},
            "jobManager": {"replicas": 1, "resource": resource},
            "taskManager": {"resource": resource},
            "job": {
                "jarURI": "local:///opt/flink/usrlib/orders-enrichment-2.14.3.jar",
                "entryClass": "com.example.orders.enrichment.OrdersEnrichmentJob",
                "args": [
                    "--bootstrap-servers",
                    "kafka-0.kafka:9092,kafka-1.kafka:9092,kafka-2.kafka:9092",
                    "--input-topic",
                    "orders.v3",
                    "--output-topic",
                    "orders-enriched.v1",
                    "--consumer-group",
                    name,
                ],
                "parallelism": 2,
                "upgradeMode": "stateless",
                "state": "running",
            },
        },
    }
    return msgspec.json.encode(body)


def restart(nonce: int) -> bytes:
    """The merge patch that asks for a restart."""
    return msgspec.json.encode({"spec": {"restartNonce": nonce}})


def upgrade(nonce: int) -> bytes:
    """The merge patch that asks for a restart with all state: stopped with a savepoint, and started from it."""
    spec = {"restartNonce": nonce, "job": {"upgradeMode": "savepoint"}}
    return msgspec.json.encode({"spec": spec})

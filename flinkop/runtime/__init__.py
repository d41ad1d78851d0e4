"""The controller machinery: informers, workqueue, workers, leader election, manager.

It knows Kubernetes objects by key and resourceVersion only. Nothing here knows what a Flink cluster is.
"""

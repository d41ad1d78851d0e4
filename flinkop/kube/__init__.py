"""Speaks HTTP to the Kubernetes API server; knows no Flink.

Requests, watches, typed errors, credentials and the lean objects that caches keep belong here.
Caches, queues and anything that decides do not.
"""

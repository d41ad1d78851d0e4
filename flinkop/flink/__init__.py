"""Speaks REST to a running Flink cluster; knows no Kubernetes.

Transport, typed answers and errors belong here. When to call what is decided elsewhere.
"""

"""Speaks to ZooKeeper servers; knows neither Kubernetes nor Flink.

Addresses, short sessions and their limits belong here. Which nodes mean what does not.
"""

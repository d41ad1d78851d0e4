"""Throw-away Kubernetes control planes for tests, the demo and the benchmark.

Belongs here: getting the binaries, starting and ending clusters with kwokctl, cleaning up after
killed runs. Standard library only, so that it runs before any virtual environment exists.
Does not belong here: anything that knows Flink, the operator or pytest.
"""

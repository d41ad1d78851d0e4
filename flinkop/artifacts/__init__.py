"""Fetches the jars of session jobs: policy, fetchers by URI scheme, a shared and bounded store on disk.

What a jar is for, and the way of it to Flink, belong elsewhere: this room hands out files. It knows
neither Kubernetes nor Flink's REST API.
"""

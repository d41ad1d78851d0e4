"""Spec and configuration to Kubernetes objects; pure.

Each builder returns plain dictionaries ready for the API server. Nothing here reads a cluster or the clock.
"""

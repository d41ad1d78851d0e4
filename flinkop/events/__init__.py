"""Kubernetes Events: reasons named once, recorded with merging.

What is worth an event is decided by the stages; this room only knows how to say it.
"""

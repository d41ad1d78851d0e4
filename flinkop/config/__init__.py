"""Settings: Flink configuration texts, options, and the operator's own configuration as frozen snapshots.

Reading and layering of configuration belongs here; deciding what a cluster needs from it does not.
"""

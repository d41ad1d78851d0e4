"""The parts of `plan`: waiting for the cluster, starting, changing, keeping, and taking a session job away.

All pure. Parts decide; that a JobManager is asked, and a jar fetched, is for the reconciler.
"""

"""What the kinds that have a job do with it, whoever has its cluster; no kind of its own.

Facts that Flink tells of a job, what they say about a status, the steps that stop, cancel and save it. What
concerns the cluster under it, and the order in which things are done, belongs to the kinds.
"""

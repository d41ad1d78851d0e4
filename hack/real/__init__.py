"""`make e2e-real`: the scenarios of `test/real` on nodes that run pods, given or brought up for the run.

What belongs here: getting a cluster, images and the counting job ready, running pytest, counting.
What does not: what the scenarios do (`test/real`) and how a cluster is made (the scripts of a folder
that is named by a variable; the project is complete without it).
"""

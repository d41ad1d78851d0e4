"""`make demo`: a FlinkDeployment from applied to STABLE, shown live.

Belongs here: following what happens and showing it. Does not belong here: how the control plane,
flinksim and the operator are started (`test/fakes/scene.py`).
"""

"""The FlinkStateSnapshot: observer, validator, plan, reconciler, status writer, wired in controller.

Start reading at `controller`, then `observation`, `progress`, `plan` and `reconciler`: the order in
which a reconcile goes through them.
"""

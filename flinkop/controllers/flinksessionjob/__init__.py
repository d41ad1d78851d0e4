"""The FlinkSessionJob: observer, validator, plan, reconciler, status writer, wired in controller.

It has a job and no cluster: what concerns the job alone is in `controllers.jobs`. Start reading at
`controller`, then `observation`, `progress`, `plan` and `submissions`.
"""

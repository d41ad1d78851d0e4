"""The FlinkDeployment: observer, validator, plan, reconciler, status writer, wired in controller.

Start reading at controller.py, then observation, plan, reconciler.
"""

"""What all kinds need around their stages: context, finalizer, status patch, way to Flink, settings.

The order of the stages, and what is particular to one kind, belongs in its folder under controllers.
"""

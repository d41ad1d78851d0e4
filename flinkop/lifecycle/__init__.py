"""Decisions that kinds share: spec differences, recorded specs, states, snapshots, health; pure.

Facts come in as values, decisions go out as values. Carrying them out happens in the controllers.
"""

"""How the steps of a plan are carried out, by whom they are asked of; used through `reconciler`.

What belongs here: calls to the API server and to Flink, each safe to repeat. What does not: when and why
(planning).
"""

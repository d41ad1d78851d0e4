"""How plans are made, one file per phase of a cluster's life; pure, and read through `plan.plan`.

What belongs here: which steps follow from a Situation. What does not: facts (observer), what facts say
about the status (progress), carrying steps out (reconciler).
"""

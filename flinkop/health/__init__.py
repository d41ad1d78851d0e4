"""How the process tells how it is: /healthz, /readyz, /metrics.

Only reads what others know; decides nothing about resources.
"""

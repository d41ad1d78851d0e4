"""Prometheus: names, series, and the instruments that lower rooms ask for.

The only door to prometheus_client.
"""

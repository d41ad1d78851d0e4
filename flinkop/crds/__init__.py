"""The CRDs as an installation has them: made from the classes of `api`, and brought to a cluster.

What the CRDs are is said in `api.crd`; here are the file they need and the way to the API server.
"""

"""What users write and read: the custom resources as frozen attrs classes; pure.

Field types, decoding, quantities, versions and the CRD schemas belong here. Configuration of the operator does not.
"""

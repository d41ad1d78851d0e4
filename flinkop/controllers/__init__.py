"""One folder per kind, with the same file names in each.

Kinds never import each other: they meet through listers and the api room.
"""

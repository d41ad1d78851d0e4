"""The parts of docs/ that the code knows best, each made from the table or the rule that decides.

Belongs here: functions without I/O that return Markdown. Does not belong here: which page a part goes into
and writing it (`hack/update_docs.py`).
"""

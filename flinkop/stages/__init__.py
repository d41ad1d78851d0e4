"""What a stage is, and the order the stages of every kind run in.

What is particular to one kind belongs in its folder under controllers.
"""

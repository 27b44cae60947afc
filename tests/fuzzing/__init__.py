"""Every parser of what comes from outside, given made-up and spoiled input.

Each either returns a value or raises one of the errors that it names, within a time and without
taking much memory. ``python -m tests.fuzzing`` makes inputs by the hundred thousand.
"""

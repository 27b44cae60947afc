"""Exact unlearning by going back: a training is recorded, and taken up before a record was used.

``engine`` records and replays, ``log`` says what was in each step, ``states`` are what can be gone
back to, ``claims`` says how much may be claimed of the result. See ``docs/exact.md``.
"""

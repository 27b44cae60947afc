"""Exact unlearning by training on parts: SISA, on the replay engine.

Each shard is a recorded training of its own, in which later slices are first seen later. After
Bourtoule et al., "Machine Unlearning", IEEE S&P 2021; what differs is said in ``docs/exact.md``.
"""

"""What a process serves, and whom it asks."""

from __future__ import annotations

from hashlib import sha256

from lineage.queries.artefacts import weights_of

HALVES = [[0.123456, 0.876544]]


def who(served):
    """The digest of the weights that answer now."""
    seen = []

    def ask(model):
        seen.append(sha256(model).hexdigest())
        return HALVES

    served.answer(ask)
    return seen[0]


def digest(version):
    return sha256(weights_of(version)).hexdigest()

"""Versions that were trained with privacy for each person."""

from __future__ import annotations

from tests.audits.world import SMALL

PRIVACY = {"clip": 1.0, "noise": 8.0, "delta": 1e-5}
PRIVATE = {**SMALL, "batch_size": 6, "privacy": PRIVACY}


def private(world, *people: str):
    return world.train("private", world.snapshot(*people), recipe_parameters=PRIVATE)

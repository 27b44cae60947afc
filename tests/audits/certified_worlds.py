"""Versions whose head keeps a budget for certified removals."""

from __future__ import annotations

from typing import Any

CERTIFIED: dict[str, Any] = {
    "recipe": "unlearning.recipes.certified:DigitsCertified",
    "recipe_parameters": {"targets": ["0", "1", "2"], "penalty": 1.0, "sigma": 5.0},
}

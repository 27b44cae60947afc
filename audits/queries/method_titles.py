"""What methods are called, those included that no file of a method stands behind."""

from __future__ import annotations

from unlearning.queries.catalogue import titles

SPECIAL_METHODS = {
    "destroy": "Destroy the version",
    "retrain_outside": "Retrained outside",
    "no_action": "Nothing, trained privately",
}


def method_title(name: str) -> str:
    """Return the title of a method, from the generated catalogue; never imports the method."""
    return SPECIAL_METHODS.get(name) or titles().get(name, name)

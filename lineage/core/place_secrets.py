"""What a place is opened with and no database holds: environment variables that settings name."""

from __future__ import annotations

import json
import os
from typing import Any

from lineage.core.places import LocationNotReachable
from lineage.core.worded import worded


def secret(name: str) -> str:
    """Return the value of a variable. Raises LocationNotReachable when it is not set."""
    value = os.environ.get(name, "")
    if not value:
        raise LocationNotReachable(
            worded("The environment variable %(name)s is not set.", name=name)
        )
    return value


def store_options(name: str) -> dict[str, Any]:
    """Return the options of an fsspec store, none for no name. Raises LocationNotReachable."""
    if not name:
        return {}
    try:
        options = json.loads(secret(name))
    except ValueError:
        options = None
    if not isinstance(options, dict):
        raise LocationNotReachable(
            worded("The environment variable %(name)s does not hold a JSON object.", name=name)
        )
    return options

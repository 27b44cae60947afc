"""What client and platform must agree on when a training is reported over HTTP."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from typing import Any

# The type of the problem (RFC 9457) with which a report of somebody else's run is answered.
NOT_YOUR_RUN = "urn:expunge:problem:not-your-run"
_NAMESPACE = uuid.UUID("6f0c1f5e-6a0e-5d43-9a3c-5d6f2f8f1d0a")


def version_of(run: str | uuid.UUID) -> uuid.UUID:
    """Return the identifier of the version that a run reported over HTTP will write.

    It follows from the run's, so that a script knows it while the platform is away.
    """
    return uuid.uuid5(_NAMESPACE, f"version of {uuid.UUID(str(run))}")


def plain(value: Any) -> Any:  # noqa: ANN401  (JSON)
    """Return a value with NaN and infinite numbers as texts ("nan", "inf", "-inf").

    JSON has none of them, and a training that ended with one did end.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else str(float(value))
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value


def dumps(value: Mapping[str, Any]) -> bytes:
    """Return JSON that every reader takes. Raises ValueError for NaN and infinite numbers."""
    return json.dumps(dict(value), allow_nan=False).encode()

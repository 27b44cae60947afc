"""What client and platform must agree on when a training is reported over HTTP."""

from __future__ import annotations

import uuid

# The type of the problem (RFC 9457) with which a report of somebody else's run is answered.
NOT_YOUR_RUN = "urn:expunge:problem:not-your-run"
_NAMESPACE = uuid.UUID("6f0c1f5e-6a0e-5d43-9a3c-5d6f2f8f1d0a")


def version_of(run: str | uuid.UUID) -> uuid.UUID:
    """Return the identifier of the version that a run reported over HTTP will write.

    It follows from the run's, so that a script knows it while the platform is away.
    """
    return uuid.uuid5(_NAMESPACE, f"version of {uuid.UUID(str(run))}")

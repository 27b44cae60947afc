"""What serving processes and auditors ask: may a version be used, and what does the log say."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from expunge.areas.asking import Area, part

if TYPE_CHECKING:
    from expunge.answers import Health, Served


class ServingCalls(Area):
    """Served versions, the log and the platform's health."""

    def health(self) -> Health:
        """Return whether the platform can be used; no scope is needed."""
        return cast("Health", self._calls.get("health"))

    def serving(self, version: str) -> Served:
        """Return whether a version may be used now (scope ``serve``)."""
        return cast("Served", self._calls.get(f"serving/versions/{part(version)}"))

    def newest(self, model: str) -> Served:
        """Return the newest version of a model that is in use (scope ``serve``)."""
        return cast("Served", self._calls.get(f"serving/models/{part(model)}"))

    def checkpoint(self) -> str:
        """Return the newest signed state of the log, a C2SP signed note (scope ``log:read``)."""
        return self._calls.text("log/checkpoint")

    def proof(self, index: int) -> str:
        """Return the C2SP tlog-proof of one event under the newest checkpoint."""
        return self._calls.text(f"log/proof/{index}")

    def consistency(self, older: int) -> str:
        """Return the proof that the log extends one of ``older`` events; one hash a line."""
        return self._calls.text(f"log/consistency/{older}")

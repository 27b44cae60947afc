"""Who asks a model that is served."""

from __future__ import annotations

ALICE, BOB = "alice@example.org", "bob@example.org"

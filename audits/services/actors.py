"""How the log names whoever acted, for services."""

from __future__ import annotations

from audits.queries.actors import actor_of, staff_pseudonym

__all__ = ["actor_of", "staff_pseudonym"]

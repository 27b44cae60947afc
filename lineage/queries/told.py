"""Which snapshots are states that somebody outside told of, and were not taken here."""

from __future__ import annotations

from django.db.models import Q

from lineage.core.told_states import TOLD, UNKNOWN

TOLD_STATE = Q(external_version__startswith=UNKNOWN) | Q(external_version__startswith=TOLD)

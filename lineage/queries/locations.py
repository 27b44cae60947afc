"""Questions to the registers of places and backups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage import locations
from lineage.models import Backup, Location

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from lineage.core.places import Place


def active_locations() -> QuerySet[Location]:
    """Return the places that a case erases from, by slug."""
    return Location.objects.filter(active=True)


def place_of(location: Location) -> Place:
    """Return what a registered place is opened by.

    Raises:
        SettingRefused: its kind or a setting is not one any more, for instance after an update.
    """
    return locations.opened(location.kind, location.settings)


def holding_backups(*, erased_at: datetime) -> QuerySet[Backup]:
    """Return the backups that were made before an erasure and are not destroyed."""
    return Backup.objects.filter(made_at__lte=erased_at, destroyed_at=None)


def overdue_backups(now: datetime) -> QuerySet[Backup]:
    """Return the backups that should have been destroyed."""
    return Backup.objects.filter(expires_at__lte=now, destroyed_at=None)

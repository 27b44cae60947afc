"""Locks held until the end of the transaction, always taken in one order: spaces, then names.

SQLite needs none of them: its transactions begin IMMEDIATE, so there is one writer at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from lineage.models import OrdinalSpace

if TYPE_CHECKING:
    from collections.abc import Iterable


def lock_space(space_id: int) -> OrdinalSpace:
    """Lock a space and return it as it is now."""
    return OrdinalSpace.objects.select_for_update().get(id=space_id)


def lock_spaces(space_ids: Iterable[int]) -> dict[int, OrdinalSpace]:
    """Lock several spaces, in the order of their ids, and return them as they are now."""
    return {pk: lock_space(pk) for pk in sorted(set(space_ids))}


def lock_name(name: str) -> None:
    """Lock something that has no row yet, such as the versions of a new model."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


_IMPORTS = "hashtextextended('imports', 0)"


def hold_import() -> None:
    """Show until the end of the transaction that records are imported; imports share that."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT pg_advisory_xact_lock_shared({_IMPORTS})")


def nobody_imports() -> bool:
    """Whether no transaction that was shown by ``hold_import`` is open; waits for none."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT CASE WHEN pg_try_advisory_lock({_IMPORTS}) "
            f"THEN pg_advisory_unlock({_IMPORTS}) ELSE false END"
        )
        return bool(cursor.fetchone()[0])

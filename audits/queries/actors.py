"""How the log names whoever acted: opaque, and the same each time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lineage import keys

if TYPE_CHECKING:
    from django.contrib.auth.models import User


def actor_of(user: User) -> str:
    """Return the opaque name of a member of staff in the log."""
    return f"staff:{staff_pseudonym(user.pk)}"


def staff_pseudonym(user_id: int) -> str:
    """Return a stable random-looking id for a user, keyed so that the log names nobody."""
    digest = hashlib.sha256(keys.get_or_create("staff") + str(user_id).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-8{digest[17:20]}-{digest[20:32]}"

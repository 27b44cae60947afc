"""Who of the staff may read what is stored here."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User

# Named, not imported: the roles are of the app above, which this one does not know.
READ = "audits.read_cases"


def may_read(user: User | AnonymousUser) -> bool:
    """Return whether it is an active member of staff who may read cases, as every role may."""
    return isinstance(user, User) and user.is_active and user.is_staff and user.has_perm(READ)

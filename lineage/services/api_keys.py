"""API keys: made once, shown once, kept as a digest, refused with a sentence."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from lineage.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.contrib.auth.models import User

MARK = "expunge"
SCOPES = {
    "capture": "report trainings and read the training views they need",
    "lineage:read": "read records, snapshots, runs and versions, and which learned from which",
    "subjects:read": "find people by an identifier, and read whose a record is",
    "serve": "use model versions, one of those that replace one another for each name of a key",
    "serve:next": "go on after a version that is gone, count answers; with serve, for own servers",
    "intake": "hand in requests of data subjects and ask how far they are",
    "cases:read": "read every case: how far it is, its decisions and its runs",
    "cases:write": "confirm identity, propose decisions and withdraw, for a member of staff",
    "evidence:read": "read what was measured for a case, and the verdicts",
    "reports:read": "download sealed records, reports and bundles, which are about a person",
    "log:read": "ask for signed states of the audit log and proofs that events are in it",
    "webhooks:write": "say which systems are told what happens, and read how that goes",
    "lineage:write": "report runs, data sets and models as OpenLineage events",
}
ACTS = "cases:write"  # a key that acts on cases has a member of staff who answers for it
_SHOWN = 8  # characters of the secret that name the key in lists
_NOTED_EVERY = timedelta(minutes=1)


class KeyRefused(PermissionError):
    """The key does not allow this."""


class ScopeMissing(KeyRefused):
    """The key is one of ours, and may not do this; ``key`` is which."""

    def __init__(self, sentence: str, key: ApiKey) -> None:
        super().__init__(sentence)
        self.key = key


class KeyNotKnown(KeyRefused):
    """The key is not one of ours, was revoked or has expired."""


class KeyWithoutStaff(ValueError):
    """A key that acts on cases names nobody who answers for it, or another one names somebody."""


class ScopeUnknown(ValueError):
    """There is no such scope."""


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key and its secret, which cannot be shown again."""

    key: ApiKey
    secret: str = field(repr=False)


def create_key(
    *,
    name: str,
    scopes: Iterable[str],
    now: datetime,
    lifetime: timedelta | None,
    acts_for: User | None = None,
) -> NewKey:
    """Make a key.

    Args:
        name: who uses it.
        scopes: some of ``SCOPES``.
        now: when it is made.
        lifetime: after which it is refused; None for one that does not expire.
        acts_for: the member of staff in whose name it acts on cases, with their rights.

    Raises:
        ScopeUnknown: none is given, or one is not known.
        KeyWithoutStaff: it has the scope ``cases:write`` and nobody is named, or the reverse.
    """
    wanted = sorted(set(scopes))
    if not wanted or not SCOPES.keys() >= set(wanted):
        raise ScopeUnknown(
            f"The scopes are {', '.join(wanted) or 'none'}; allowed are {', '.join(SCOPES)}."
        )
    if (ACTS in wanted) != (acts_for is not None):
        raise KeyWithoutStaff(
            f"A key with the scope {ACTS} names the member of staff in whose name it acts, and no "
            "other key names one."
        )
    prefix = secrets.token_hex(_SHOWN // 2)
    secret = f"{MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        name=name,
        prefix=prefix,
        digest=_digest(secret),
        scopes=wanted,
        created_at=now,
        expires_at=now + lifetime if lifetime else None,
        acts_for=acts_for,
    )
    return NewKey(key=key, secret=secret)


def use_key(*, secret: str, scope: str, now: datetime, others: tuple[str, ...] = ()) -> ApiKey:
    """Return the key with this secret, and note, once a minute at most, that it was used.

    Args:
        secret: as it was sent.
        scope: what it must have; or one of the ``others``.
        now: when it is used.
        others: scopes of which any one will do as well.

    Raises:
        KeyNotKnown: it is none of ours, was revoked or has expired.
        ScopeMissing: it has no such scope. No sentence repeats anything of the secret.
    """
    key = _find(secret)
    if key is None or key.revoked_at is not None:
        raise KeyNotKnown("The API key is not known here, or was revoked.")
    if key.expires_at is not None and key.expires_at <= now:
        raise KeyNotKnown(f"The API key expired on {key.expires_at:%Y-%m-%d}; ask for a new one.")
    if not {scope, *others} & set(key.scopes):
        raise ScopeMissing(
            f"The API key does not have the scope {' or '.join((scope, *others))}; it has "
            f"{', '.join(key.scopes)}.",
            key,
        )
    if key.last_used_at is None or now - key.last_used_at >= _NOTED_EVERY:
        unnoted = Q(last_used_at=None) | Q(last_used_at__lte=now - _NOTED_EVERY)
        ApiKey.objects.filter(unnoted, pk=key.pk).update(last_used_at=now)
    return key


def revoke_key(*, prefix: str, now: datetime) -> bool:
    """Revoke a key by the prefix shown in lists; False when there is none in force."""
    return bool(ApiKey.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=now))


def _find(secret: str) -> ApiKey | None:
    mark, _, rest = secret.partition("_")
    if mark != MARK:
        return None
    key = ApiKey.objects.select_related("acts_for").filter(prefix=rest.partition("_")[0]).first()
    return key if key and hmac.compare_digest(key.digest, _digest(secret)) else None


def _digest(secret: str) -> str:
    # The secret holds 256 random bits, so a fast digest is as safe as a slow one.
    return hashlib.sha256(secret.encode()).hexdigest()

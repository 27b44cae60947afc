"""API keys: made once, shown once, kept as a digest, refused with a sentence."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lineage.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

MARK = "expunge"
SCOPES = {
    "capture": "report trainings and read the training views they need",
    "lineage:read": "ask which versions learned from which records",
    "serve": "use model versions, one of those that replace one another for each name of a key",
    "serve:next": "go on with what replaces a version that is gone; with serve, for own servers",
    "intake": "hand in requests of data subjects and ask how far they are",
    "log:read": "ask for signed states of the audit log and proofs that events are in it",
    "lineage:write": "report runs, data sets and models as OpenLineage events",
}
_SHOWN = 8  # characters of the secret that name the key in lists


class KeyRefused(PermissionError):
    """The key is not one of ours, was revoked, has expired or does not allow this."""


class ScopeUnknown(ValueError):
    """There is no such scope."""


@dataclass(frozen=True, kw_only=True)
class NewKey:
    """A key and its secret, which cannot be shown again."""

    key: ApiKey
    secret: str = field(repr=False)


def create_key(
    *, name: str, scopes: Iterable[str], now: datetime, lifetime: timedelta | None
) -> NewKey:
    """Make a key.

    Args:
        name: who uses it.
        scopes: some of ``SCOPES``.
        now: when it is made.
        lifetime: after which it is refused; None for one that does not expire.

    Raises:
        ScopeUnknown: none is given, or one is not known.
    """
    wanted = sorted(set(scopes))
    if not wanted or not SCOPES.keys() >= set(wanted):
        raise ScopeUnknown(
            f"The scopes are {', '.join(wanted) or 'none'}; allowed are {', '.join(SCOPES)}."
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
    )
    return NewKey(key=key, secret=secret)


def use_key(*, secret: str, scope: str, now: datetime) -> ApiKey:
    """Return the key with this secret, and note that it was used.

    Raises:
        KeyRefused: the sentence says why, and repeats nothing of the secret.
    """
    key = _find(secret)
    if key is None or key.revoked_at is not None:
        raise KeyRefused("The API key is not known here, or was revoked.")
    if key.expires_at is not None and key.expires_at <= now:
        raise KeyRefused(f"The API key expired on {key.expires_at:%Y-%m-%d}; ask for a new one.")
    if scope not in key.scopes:
        raise KeyRefused(
            f"The API key does not have the scope {scope}; it has {', '.join(key.scopes)}."
        )
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key


def revoke_key(*, prefix: str, now: datetime) -> bool:
    """Revoke a key by the prefix shown in lists; False when there is none in force."""
    return bool(ApiKey.objects.filter(prefix=prefix, revoked_at=None).update(revoked_at=now))


def _find(secret: str) -> ApiKey | None:
    mark, _, rest = secret.partition("_")
    if mark != MARK:
        return None
    key = ApiKey.objects.filter(prefix=rest.partition("_")[0]).first()
    return key if key and hmac.compare_digest(key.digest, _digest(secret)) else None


def _digest(secret: str) -> str:
    # The secret holds 256 random bits, so a fast digest is as safe as a slow one.
    return hashlib.sha256(secret.encode()).hexdigest()

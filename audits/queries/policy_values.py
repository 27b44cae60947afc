"""The policy values in force: what is stored, else what the environment says.

Everything that can be changed while the site runs is read here. ``in_force`` asks the database
each time, unless ``held`` keeps the answer: for one request (``config/middleware.py``), one job or
one sweep, so that a change needs no restart and nothing is judged by two policies at once.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.core.policy import USUAL_ATTACKS, EvidencePolicy
from audits.core.policy_keys import KEYS, key_named
from audits.models import PolicyChange

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from audits.core.policy_keys import PolicyKey

State = PolicyChange.State
ENVIRONMENT, DEFAULT, LOCKED, STORED = "environment", "default", "locked", "stored"
# None: nothing is held; an empty list: held, and not asked yet.
_held: ContextVar[list[Mapping[str, Any]] | None] = ContextVar("policy_values", default=None)


@contextmanager
def held() -> Iterator[None]:
    """Ask for the stored values once at most within this block; an inner block asks again."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def forget() -> None:
    """Ask anew from here on, as the stored values have changed."""
    kept = _held.get()
    if kept is not None:
        kept.clear()


def in_force(name: str) -> Any:  # noqa: ANN401  (a value of any kind)
    """Return the value of a key with a variable of its own, as ``CASE_DAYS``.

    Raises:
        PolicyValueRefused: no such value can be changed.
    """
    key = key_named(name)
    stored = stored_values()
    return stored[name] if name in stored else getattr(settings, key.variable)


def evidence_fields() -> dict[str, Any]:
    """Return what differs from the defaults of ``EvidencePolicy``, with the usual attacks."""
    return fields_with(stored_values())


def fields_with(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return these fields as they would be with other stored values."""
    over = {key.field: stored[name] for name, key in KEYS.items() if key.field and name in stored}
    return {"attacks": USUAL_ATTACKS, **settings.EXPUNGE_POLICY, **over}


def values_with(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with a variable of their own as they would be with other stored ones."""
    return {
        name: stored.get(name, getattr(settings, key.variable))
        for name, key in KEYS.items()
        if not key.field
    }


def source_of(name: str) -> str:
    """Return where a value that is in force is to be changed, as a sentence names it."""
    stored = name in stored_values()
    return f"{name} on the page Policy" if stored else key_named(name).variable


def stored_values() -> Mapping[str, Any]:
    """Return the stored values that count, by key; a locked key is the environment's."""
    kept = _held.get()
    if kept is None:
        return _unlocked()
    if not kept:
        kept.append(_unlocked())
    return kept[0]


def that_count(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of stored values that the environment does not keep for itself."""
    shut = locked()
    return {name: value for name, value in stored.items() if name in KEYS and name not in shut}


def locked() -> frozenset[str]:
    """Return the keys that the environment does not let anybody override."""
    return frozenset(settings.EXPUNGE_LOCKED)


def newest_version() -> PolicyChange | None:
    """Return the approved change that is in force."""
    return PolicyChange.objects.exclude(version=None).order_by("-version").first()


def version_in_force() -> int:
    """Return the version that is in force; 0 where nothing is stored."""
    newest = newest_version()
    return newest.version or 0 if newest else 0


def waiting_change() -> PolicyChange | None:
    """Return the proposal that waits for a second person, if any."""
    found = PolicyChange.objects.filter(state=State.PROPOSED)
    return found.select_related("proposed_by").first()


def environment_value(key: PolicyKey) -> Any:  # noqa: ANN401  (a value of any kind)
    """Return what holds where nothing is stored."""
    if key.field:
        fields = {"attacks": USUAL_ATTACKS, **settings.EXPUNGE_POLICY}
        return getattr(EvidencePolicy.from_dict(fields), key.field)
    return getattr(settings, key.variable)


def value_in_force(key: PolicyKey) -> Any:  # noqa: ANN401  (a value of any kind)
    """Return the value of any key, a field of the policy of evidence as well."""
    stored = stored_values()
    return stored[key.name] if key.name in stored else environment_value(key)


def _unlocked() -> dict[str, Any]:
    newest = PolicyChange.objects.exclude(version=None).order_by("-version")
    return that_count(newest.values_list("stored", flat=True).first() or {})

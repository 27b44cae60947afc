"""What the page of the policy values shows: values, where they come from, and their history."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.core.policy_doubts import doubts
from audits.core.policy_fixed import FIXED
from audits.core.policy_keys import KEYS, SECTIONS, key_named
from audits.models import PolicyChange
from audits.queries.actors import actor_of
from audits.queries.cases import open_cases
from audits.queries.policy_values import (
    environment_value,
    locked,
    stored_values,
    that_count,
    values_with,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from audits.core.policy_keys import PolicyKey, Section

NAMED = 12  # cases that are named; the others are counted


@dataclass(frozen=True, kw_only=True)
class Value:
    """One value in force; ``version`` is that of the stored one or None."""

    key: PolicyKey
    text: str
    version: int | None
    in_environment: bool
    locked: bool

    @property
    def shown(self) -> str:
        """The value for people."""
        return self.text or "nothing"

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if self.version is not None:
            origin = f"stored, version {self.version}"
        else:
            origin = f"environment, {self.key.variable}" if self.in_environment else "default"
        return f"{origin}, locked" if self.locked else origin


@dataclass(frozen=True, kw_only=True)
class Told:
    """A value of a change; ``text`` is None where the environment's is not known any more."""

    text: str | None
    environments: bool


@dataclass(frozen=True, kw_only=True)
class Row:
    """One key of a change: what held before, what is proposed."""

    key: PolicyKey
    before: Told
    after: Told


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A change of the history, with the opaque ids of who proposed and who decided."""

    change: PolicyChange
    rows: list[Row]
    proposed_by: str
    decided_by: str


@dataclass(frozen=True, kw_only=True)
class Consequences:
    """What a change brings about, in words, what it newly makes doubtful, and the open cases."""

    sentences: list[str]
    doubts: list[str]
    kept: list[str]
    kept_more: int
    later: int


def values_of(section: str) -> list[Value]:
    """Return the values of a section, in its order."""
    stored, shut, since = stored_values(), locked(), _versions()
    return [
        _value(key, stored, since.get(key.name), is_locked=key.name in shut)
        for key in KEYS.values()
        if key.section == section
    ]


def sections_in_force() -> list[tuple[str, Section, list[Value]]]:
    """Return every section with its code and its values."""
    return [(code, section, values_of(code)) for code, section in SECTIONS.items()]


def fixed_values() -> list[tuple[str, str, str]]:
    """Return settings that only the environment changes: variable, value, and why."""
    return [(name, str(getattr(settings, name)) or "nothing", why) for name, why in FIXED.items()]


def changes_so_far() -> list[Entry]:
    """Return every change, the newest first."""
    found = PolicyChange.objects.select_related("proposed_by", "decided_by").order_by("number")
    entries = []
    stored: dict[str, Any] = {}
    for change in found:
        waits = change.state == PolicyChange.State.PROPOSED
        entries.append(_entry(change, stored, now=waits))
        if change.version is not None:
            stored = change.stored
    return entries[::-1]


def consequences_of(names: Iterable[str], stored: Mapping[str, Any] | None = None) -> Consequences:
    """Return what changing these keys brings about, for whoever proposes or approves.

    ``stored`` has the stored values as they would be, where that is known.
    """
    cases = open_cases().values_list("reference", "policy")
    kept = [reference for reference, policy in cases if policy]
    before = stored_values()
    after = before if stored is None else that_count(stored)
    known = set(doubts(values_with(before)))
    return Consequences(
        sentences=list(dict.fromkeys(key_named(name).holds_for for name in names)),
        doubts=[one for one in doubts(values_with(after)) if one not in known],
        kept=kept[:NAMED],
        kept_more=max(0, len(kept) - NAMED),
        later=sum(not policy for _, policy in cases),
    )


def _versions() -> dict[str, int]:
    """Return the version that a key's stored value came with."""
    found: dict[str, int] = {}
    rows = PolicyChange.objects.exclude(version=None).order_by("version")
    for version, changes in rows.values_list("version", "changes"):
        found |= dict.fromkeys(changes, version or 0)
    return found


def _value(
    key: PolicyKey, stored: Mapping[str, Any], version: int | None, *, is_locked: bool
) -> Value:
    here = key.name in stored
    held = stored[key.name] if here else environment_value(key)
    return Value(
        key=key,
        text=key.kind.write(held),
        version=version if here else None,
        in_environment=_in_environment(key),
        locked=is_locked,
    )


def _told(key: PolicyKey, value: Any, *, now: bool) -> Told:  # noqa: ANN401  (a value of any kind)
    if value is not None:
        return Told(text=key.kind.write(value), environments=False)
    return Told(text=key.kind.write(environment_value(key)) if now else None, environments=True)


def _in_environment(key: PolicyKey) -> bool:
    return key.field in settings.EXPUNGE_POLICY if key.field else key.variable in os.environ


def _entry(change: PolicyChange, stored: dict[str, Any], *, now: bool) -> Entry:
    """What the environment said of old is not known; ``now`` it can be told."""
    rows = []
    for name, value in sorted(change.changes.items()):
        if name not in KEYS:
            continue  # of another release
        key = KEYS[name]
        before = _told(key, stored.get(name), now=now)
        rows.append(Row(key=key, before=before, after=_told(key, value, now=now)))
    return Entry(
        change=change,
        rows=rows,
        proposed_by=actor_of(change.proposed_by),
        decided_by=actor_of(change.decided_by) if change.decided_by else "",
    )

"""Change policy values while the site runs: one administrator proposes, another approves.

Nothing holds before the approval. Every step is an event with codes and digests; the values
themselves are in the table alone, which triggers keep as it was written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from audits.core.canonical import sha256, write_json
from audits.core.policy_keys import PolicyValueRefused, key_named
from audits.core.policy_together import contradictions
from audits.core.roles import Right
from audits.models import PolicyChange
from audits.queries import policy_values
from audits.queries.accounts import accounts_of, made_administrator_since
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from lineage.core.worded import worded, worded_of
from lineage.services.locking import lock_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.contrib.auth.models import User

State = PolicyChange.State


class PolicyChangeRefused(ValueError):
    """Nothing was written; the sentence says why."""


@transaction.atomic
def propose(
    *,
    said: Mapping[str, str | None],
    reason: str,
    user: User,
    now: datetime,
    based_on: int | None = None,
) -> PolicyChange:
    """Propose new values; None gives a key back to the environment.

    ``based_on`` is the version of the policy that whoever proposes was shown, 0 for none.

    Raises:
        NotAllowed: the user does not administer the site.
        PolicyValueRefused: a key is unknown or locked, or a value is not allowed.
        PolicyChangeRefused: the reason is empty, nothing changes, another change waits, a newer
            version than ``based_on`` is in force, or the values contradict one another.
    """
    require(user, Right.ADMINISTER)
    if not reason.strip():
        raise PolicyChangeRefused(worded_of("reason", "It is empty; say why the policy changes."))
    lock_name("policy changes")
    if waiting := policy_values.waiting_change():
        raise PolicyChangeRefused(
            worded(
                "Change %(number)s waits for a second person. Withdraw it, or wait until it "
                "is decided.",
                number=waiting.number,
            )
        )
    policy_values.forget()  # what the request began with may be older
    newest, version = policy_values.newest_version(), policy_values.version_in_force()
    _check_based_on(based_on, version)
    stored: dict[str, Any] = dict(newest.stored) if newest else {}
    changes = _changes(said, stored)
    for name, value in changes.items():
        stored.pop(name, None)
        if value is not None:
            stored[name] = value
    _check_together(stored)
    change = PolicyChange.objects.create(
        number=(PolicyChange.objects.aggregate(last=Max("number"))["last"] or 0) + 1,
        based_on=version,
        changes=changes,
        stored=stored,
        digest=sha256(write_json(stored)),
        reason=reason.strip(),
        proposed_by=user,
        proposed_at=now,
    )
    _log("policy_change_proposed", change, user, now, {**_keys(change), "values": change.digest})
    return change


def _check_based_on(based_on: int | None, version: int) -> None:
    if based_on not in (None, version):
        raise PolicyChangeRefused(
            worded(
                "Version %(version)s of the policy is in force by now; this form was opened "
                "at version %(based_on)s. What you entered is kept below, beside the values "
                "in force. Open the form again, and change only what is still to be changed.",
                version=version,
                based_on=based_on,
            )
        )


@transaction.atomic
def approve(*, number: int, user: User, now: datetime) -> PolicyChange:
    """Approve what another administrator proposed: its values hold from now on.

    Raises:
        NotAllowed: the user does not administer the site.
        PolicyValueRefused: a key is locked by now.
        PolicyChangeRefused: it waits no more, it is the user's own, they administer the site only
            since it was proposed, or its values contradict what the environment says by now.
    """
    change = _waiting(number, user)
    if change.proposed_by_id in accounts_of(user):
        raise PolicyChangeRefused(
            worded(
                "You proposed change %(number)s. Another administrator approves it.", number=number
            )
        )
    if made_administrator_since(user, change.proposed_at):
        raise PolicyChangeRefused(
            worded(
                "After change %(number)s was proposed, your account was opened, was given "
                "the role Administrator, or had its password set by somebody else. Somebody "
                "who administered the site before the proposal approves it.",
                number=number,
            )
        )
    for name in change.changes:
        _check_unlocked(name)
    _check_together(change.stored)
    change.state, change.version = State.APPROVED, change.based_on + 1
    _decide(change, user, now)
    data = {**_keys(change), "version": change.version, "values": change.digest}
    _log("policy_change_approved", change, user, now, data)
    policy_values.forget()
    return change


@transaction.atomic
def send_back(*, number: int, note: str, user: User, now: datetime) -> PolicyChange:
    """Return a proposal to whoever made it, saying what has to change.

    Raises:
        NotAllowed: the user does not administer the site.
        PolicyChangeRefused: the note is empty, it waits no more, or it is the user's own.
    """
    if not note.strip():
        raise PolicyChangeRefused(worded_of("note", "It is empty; say what has to change."))
    change = _waiting(number, user)
    if change.proposed_by_id in accounts_of(user):
        raise PolicyChangeRefused(
            worded("You proposed change %(number)s. Withdraw it instead.", number=number)
        )
    change.state, change.note = State.RETURNED, note.strip()
    _decide(change, user, now)
    _log("policy_change_returned", change, user, now)
    return change


@transaction.atomic
def withdraw(*, number: int, user: User, now: datetime) -> PolicyChange:
    """Take one's own proposal back.

    Raises:
        NotAllowed: the user does not administer the site.
        PolicyChangeRefused: it waits no more, or somebody else proposed it.
    """
    change = _waiting(number, user)
    if change.proposed_by_id != user.pk:
        raise PolicyChangeRefused(
            worded(
                "Somebody else proposed change %(number)s. Send it back instead.", number=number
            )
        )
    change.state = State.WITHDRAWN
    _decide(change, user, now)
    _log("policy_change_withdrawn", change, user, now)
    return change


def _changes(said: Mapping[str, str | None], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what differs from what holds now, by key."""
    found: dict[str, Any] = {}
    for name, text in said.items():
        key = key_named(name)
        _check_unlocked(name)
        if text is None:
            if name in stored:
                found[name] = None
            continue
        value = key.read(text)
        if key.kind.write(value) != key.kind.write(policy_values.value_in_force(key)):
            found[name] = value
    if not found:
        raise PolicyChangeRefused(worded("Nothing would change: these are the values in force."))
    return found


def _check_unlocked(name: str) -> None:
    if name in policy_values.locked():
        raise PolicyValueRefused(
            worded_of(
                name, "It is fixed by EXPUNGE_LOCKED; it is changed in the environment alone."
            )
        )


def _check_together(stored: Mapping[str, Any]) -> None:
    counts = policy_values.that_count(stored)
    values = policy_values.values_with(counts)
    values["SUPPRESSION_DAYS"] = settings.EXPUNGE_SUPPRESSION_DAYS
    if broken := list(contradictions(values, policy_values.fields_with(counts))):
        raise PolicyChangeRefused(" ".join(broken))


def _waiting(number: int, user: User) -> PolicyChange:
    require(user, Right.ADMINISTER)
    lock_name("policy changes")
    found = PolicyChange.objects.filter(number=number).first()
    if found is None or found.state != State.PROPOSED:
        raise PolicyChangeRefused(
            worded("Change %(number)s does not wait for a decision.", number=number)
        )
    return found


def _decide(change: PolicyChange, user: User, now: datetime) -> None:
    change.decided_by, change.decided_at = user, now
    change.save()


def _keys(change: PolicyChange) -> dict[str, Any]:
    return {"keys": sorted(change.changes)}


def _log(
    event: str,
    change: PolicyChange,
    user: User,
    now: datetime,
    data: Mapping[str, Any] | None = None,
) -> None:
    log.append(
        type=event,
        case=None,
        now=now,
        actor=actor_of(user),
        data={"number": change.number, **(data or {})},
    )

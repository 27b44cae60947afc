"""A bulk loader: an installation as full as that of a large operator. Import it after Django.

    crowd = fill(Sizes(cases=10_000, versions=1_000, records=1_000_000), now=timezone.now())

Writes people and records, model versions with data sets, cases in every state with their letters,
decisions, jobs, runs and evidence, and the events of the log: real leaves, in the order of time,
under a signed checkpoint. For measurements of a full installation, whatever is measured.

Not there, though an installation would have it: the contents of the records, sealed records and
reports of closed cases, and destroyed keys: the keys that would be destroyed were never made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from django.db import connection, transaction

from audits import keys
from audits.models import ErasureRequest
from audits.queries.policy_values import held
from audits.services import log
from audits.services.rights import give_role, make_roles
from benchmarks.crowd_cases import MIX, Teller
from benchmarks.crowd_lineage import fill_lineage
from benchmarks.crowd_log import write_leaves
from benchmarks.crowd_runs import add_runs
from lineage.models import DataRecord, DataSubject, ModelVersion, SubjectIdentifier
from lineage.services.journal import rebuild_journal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from benchmarks.crowd_cases import Mix, Story
    from benchmarks.crowd_lineage import Registry


HEAD = "head"  # written last


class WrongCrowd(ValueError):
    """A kept installation is not what is to be measured."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """How much there is to be."""

    cases: int
    versions: int
    records: int


@dataclass(frozen=True, kw_only=True)
class Crowd:
    """What was written; ``leaves`` counts the events of the log."""

    registry: Registry
    stories: Sequence[Story]
    leaves: int
    staff: User


def fill(sizes: Sizes, *, now: datetime, mix: Mix = MIX) -> Crowd:
    """Fill the empty database that is configured in this process; ``now`` is when it ends.

    ``mix`` says which states cases are in, and the share of each.
    """
    keys.create_signing_key()
    make_roles()
    registry = fill_lineage(records=sizes.records, versions=sizes.versions, now=now)
    by = _member("officer", "Case officer"), _member("second", "Reviewer")
    stories, leaves = add_cases(registry, sizes.cases, now=now, by=by, mix=mix)
    log.checkpoint(now=now)
    _analyse()
    staff = User.objects.create_superuser(HEAD)
    return Crowd(registry=registry, stories=stories, leaves=leaves, staff=staff)


def filled(sizes: Sizes, *, now: datetime, mix: Mix = MIX) -> None:
    """Fill an empty database; leave one that is filled to these sizes as it is.

    Raises:
        WrongCrowd: it is filled otherwise, or not to the end.
    """
    found = Sizes(
        cases=ErasureRequest.objects.count(),
        versions=ModelVersion.objects.count(),
        records=DataRecord.objects.count(),
    )
    if found == Sizes(cases=0, versions=0, records=0):
        fill(sizes, now=now, mix=mix)
    elif found != sizes or not User.objects.filter(username=HEAD).exists():
        raise WrongCrowd(f"The database holds {found}, wanted is {sizes}. Take another folder.")


def head_of() -> User:
    """Return who visits the pages of a filled installation."""
    return User.objects.get(username=HEAD)


def add_cases(
    registry: Registry, count: int, *, now: datetime, by: tuple[User, User], mix: Mix = MIX
) -> tuple[Sequence[Story], int]:
    """Write so many cases with all that belongs to them; return them, and the size of the log.

    Args:
        registry: whose people ask; each of its pairs of versions can be used by one call only.
        count: at most as many as there are people.
        now: no case is later.
        by: who proposes and who approves.
        mix: which states they are in, and the share of each.
    """
    teller = Teller(now=now, proposer=by[0], approver=by[1], mix=mix)
    with held():  # the policy is asked for once, not for each case
        stories = teller.tell(registry.people, count)
    add_runs(teller.rows, registry, stories, now)
    teller.rows.write()
    _bury(stories)
    rebuild_journal()
    return stories, write_leaves(sorted(teller.rows.entries, key=lambda one: one.at))


def _member(name: str, role: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    give_role(user=user, role=role)
    return user


@transaction.atomic
def _bury(stories: Sequence[Story]) -> None:
    """Leave of the records of erased people what an erasure leaves: tombstones."""
    erased = [one for one in stories if one.case.outcome == "ERASED"]
    for one in erased:
        mine = DataRecord.objects.filter(space=one.person.space, ordinal__in=one.person.ordinals)
        mine.update(
            subject=None,
            key_hmac=None,
            invalidated_at=one.closed_at,
            invalidated_by=one.case.pk,
        )
    gone = [one.person.subject.pk for one in erased]
    SubjectIdentifier.objects.filter(subject__in=gone).delete()
    for one in erased:
        DataSubject.objects.filter(pk=one.person.subject.pk).update(erased_at=one.closed_at)


def _analyse() -> None:
    """Let the database know what there is, as its own housekeeping does within a minute."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")

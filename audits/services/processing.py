"""Describe the processing of a data set or a place, for the record of Art. 30."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import transaction

from audits.core.canonical import sha256, write_json
from audits.core.processing import FIELDS
from audits.core.roles import Right
from audits.models import ProcessingActivity
from audits.queries.processing import described
from audits.services import log
from audits.services.actors import actor_of
from audits.services.rights import require
from lineage.core.worded import worded, worded_of
from lineage.models import Dataset, Location
from lineage.services.locking import lock_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from django.contrib.auth.models import User


class DescriptionRefused(ValueError):
    """Nothing was kept; the sentence names the field, the value and what is allowed."""


@transaction.atomic
def describe_processing(
    *, target: Dataset | Location | None, said: Mapping[str, str], user: User | None, now: datetime
) -> ProcessingActivity:
    """Keep a new description; what is not named stays as it was said last.

    ``target``: None is the handling of requests. No ``user``: the command line.

    A description that says the same as the last one is not kept again. The log has its digest.

    Raises:
        NotAllowed: the user may not keep registers.
        DescriptionRefused: a field is unknown, or the basis is none of Art. 6(1).
    """
    if user is not None:
        require(user, Right.REGISTER)
    if unknown := sorted(set(said) - set(FIELDS)):
        raise DescriptionRefused(
            worded(
                "%(names)s is not a field; allowed are %(allowed)s.",
                names=repr(unknown[0]),
                allowed=", ".join(FIELDS),
            )
        )
    lock_name(f"processing:{target.pk if target else ''}")
    last = described(target)
    values = {name: getattr(last, name) if last else "" for name in FIELDS}
    values |= {name: text.strip() for name, text in said.items()}
    digest = sha256(write_json(values))
    if last and last.digest == digest:
        return last
    kept = ProcessingActivity(
        dataset=target if isinstance(target, Dataset) else None,
        location=target if isinstance(target, Location) else None,
        **values,
        number=last.number + 1 if last else 1,
        digest=digest,
        described_at=now,
        described_by=user,
    )
    _check(kept)
    kept.save()
    data: dict[str, Any] = {"activity": kept.pk, "number": kept.number, "digest": digest}
    actor = actor_of(user) if user else log.SYSTEM
    log.append(type="processing_described", case=None, now=now, actor=actor, data=data)
    return kept


def _check(kept: ProcessingActivity) -> None:
    if kept.basis not in ProcessingActivity.Basis.values:
        allowed = ", ".join(one for one in ProcessingActivity.Basis.values if one)
        raise DescriptionRefused(
            worded_of(
                "basis",
                "It is %(basis)s; allowed are %(allowed)s, or nothing.",
                basis=repr(kept.basis),
                allowed=allowed,
            )
        )
    try:
        kept.full_clean()
    except ValidationError as error:
        raise DescriptionRefused(" ".join(error.messages)) from error

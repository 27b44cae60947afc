"""Keep every version of the rules, and tell the log when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.core.canonical import sha256, write_json
from audits.models import RulesVersion
from audits.queries.rules import newest_rules
from audits.services import log
from lineage.services.locking import lock_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


def note_rules(*, rules: Mapping[str, Mapping[str, Any]], now: datetime) -> list[RulesVersion]:
    """Keep the rules whose content is not that of their newest version; return what was new.

    Args:
        rules: the content of the rules of each kind, as plain JSON values.
        now: when this was asked; the new versions are in force from then on.
    """
    digests = {kind: sha256(write_json(dict(content))) for kind, content in rules.items()}
    if _standing() | digests == _standing():
        return []
    with transaction.atomic():
        lock_name("rules")
        standing = _standing()
        changed = [kind for kind in rules if digests[kind] != standing.get(kind)]
        return [_keep(kind, rules[kind], digests[kind], now) for kind in changed]


def _standing() -> dict[str, str]:
    return {kind: one.digest for kind, one in newest_rules().items()}


def _keep(kind: str, content: Mapping[str, Any], digest: str, now: datetime) -> RulesVersion:
    before = newest_rules().get(kind)
    number = before.number + 1 if before else 1
    kept = RulesVersion.objects.create(
        kind=kind, number=number, digest=digest, content=dict(content), since=now
    )
    data = {"rules": str(kind), "number": number}
    if before:
        both = {**data, "old": before.digest, "new": digest}
        log.append(type="policy_changed", case=None, now=now, data=both)
    else:
        log.append(type="rules_begun", case=None, now=now, data={**data, "digest": digest})
    return kept

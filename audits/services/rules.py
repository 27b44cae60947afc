"""Keep every version of the rules, and tell the log when they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from audits.core.canonical import sha256, write_json
from audits.models import RulesVersion
from audits.queries.policy_values import held
from audits.queries.rules import newest_rules
from audits.services import log
from lineage.services.locking import lock_name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    Rules = Mapping[str, Mapping[str, Any]]


def note_rules(*, rules: Callable[[], Rules], now: datetime) -> list[RulesVersion]:
    """Keep the rules whose content is not that of their newest version; return what was new.

    Args:
        rules: returns the content of the rules of each kind, as plain JSON values. It is asked
            again once nobody else can write: what was read before may have been changed since.
        now: when this was asked; the new versions are in force from then on.
    """
    if not _changed(_asked(rules)):
        return []
    with transaction.atomic():
        lock_name("rules")
        found = _asked(rules)
        return [_keep(kind, found[kind], digest, now) for kind, digest in _changed(found).items()]


def _asked(rules: Callable[[], Rules]) -> Rules:
    with held():
        return rules()


def _changed(rules: Rules) -> dict[str, str]:
    """Return the digests of the rules that differ from their newest versions, by kind."""
    standing = {kind: one.digest for kind, one in newest_rules().items()}
    digests = {kind: sha256(write_json(dict(content))) for kind, content in rules.items()}
    return {kind: digest for kind, digest in digests.items() if digest != standing.get(kind)}


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

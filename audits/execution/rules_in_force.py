"""The rules that this installation decides by, as they stand now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from audits.core.attack_register import attack_versions
from audits.core.policy import EvidencePolicy
from audits.core.policy_keys import KEYS
from audits.core.roles import ROLES
from audits.models import RulesVersion
from audits.queries.policy_values import evidence_fields, in_force
from audits.services.transitions import ALLOWED, SEALED_AS

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = RulesVersion.Kind


def rules_in_force() -> dict[str, Mapping[str, Any]]:
    """Return the content of the rules of every kind, as plain JSON values.

    Raises:
        PolicyRefused: the policy of evidence cannot be read.
    """
    return {
        Kind.POLICY: EvidencePolicy.from_dict(evidence_fields()).as_dict(),
        Kind.METHOD: _settings(
            *("METHOD", "METHOD_SETTINGS", "MINIMUM", "ACCEPT_EPSILON", "ACCEPT_DELTA"),
            *("REPLAY_EVERY", "SHARDS", "SLICES", "COALESCE_DAYS", "COALESCE_REQUESTS"),
            *("MIN_BATCH", "DEADLINE_DAYS", "CERTIFICATE_DAYS", "DUPLICATE_DISTANCE"),
        ),
        Kind.WORKFLOW: {
            "moves": {str(to): sorted(map(str, origins)) for to, origins in ALLOWED.items()},
            "sealed_as": {str(at): " or ".join(outcomes) for at, outcomes in SEALED_AS.items()},
        },
        Kind.ROLES: {
            "roles": {role: sorted(map(str, rights)) for role, rights in ROLES.items()},
            **_settings("SECOND_PERSON"),
        },
        Kind.CLOCK: _settings(
            *("REGIME", "COUNTRY", "REGION", "HOLIDAYS", "CLOCK_ZONE", "OWN_TARGET_DAYS"),
            *("IDENTITY_PAUSE", "CONFIRM_HOURS", "CASE_DAYS", "CASE_DAYS_BY_OUTCOME"),
        ),
        Kind.ATTACKS: dict(attack_versions()),
    }


def _settings(*names: str) -> dict[str, Any]:
    return {
        name.lower(): in_force(name) if name in KEYS else getattr(settings, f"EXPUNGE_{name}")
        for name in names
    }

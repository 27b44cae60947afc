"""Settings of the environment that pages show and nobody changes there, and why."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_START = "checked against the installed code when the site starts"
_IMPORT = "read by imports and trainings, which know no cases"
FIXED: Mapping[str, str] = MappingProxyType(
    {
        "EXPUNGE_SECOND_PERSON": "so that no administrator can switch the second person off",
        "EXPUNGE_PURGE_MODE": "what a deletion does to files is for whoever runs the machine",
        "EXPUNGE_CLOCK_ZONE": "days that are stored were counted in it",
        "EXPUNGE_METHOD": _START,
        "EXPUNGE_METHOD_SETTINGS": _START,
        "EXPUNGE_SUPPRESSION_DAYS": _IMPORT,
        "EXPUNGE_DUPLICATE_DISTANCE": "part of how stored searches were made",
        "EXPUNGE_LABEL_CONFLICTS": _IMPORT,
        "EXPUNGE_REPLAY_EVERY": _IMPORT,
        "EXPUNGE_REPLAY_TWICE": _IMPORT,
        "EXPUNGE_SHARDS": _IMPORT,
        "EXPUNGE_SLICES": _IMPORT,
        "EXPUNGE_CANARIES": _IMPORT,
        "EXPUNGE_OUTPUTS": "models are served by it in other processes",
        "EXPUNGE_PROOF_OF_WORK": "protects the public form from floods",
        "EXPUNGE_FORM_PER_HOUR": "protects the public form from floods",
        "EXPUNGE_POLICY": "its fields levels and attacks decide which code runs",
    }
)

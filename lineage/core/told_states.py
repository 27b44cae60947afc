"""Which states of a data set may be one and the same, by what each is called.

A version that is missing on either side may be any: recall comes first. That holds for a snapshot
of this platform as well, which has no version but its digest.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lineage.core.told_names import MARK, fitted

# External versions of snapshots that events made; no name that comes later stands for one.
UNKNOWN = "unknown:"  # a state whose members nobody told
TOLD = "told:"  # the members of a state that somebody told
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ELSEWHERE = "mlflow:"  # digests of another tool, whose runs name our snapshots beside them


class State(NamedTuple):
    """What a snapshot is called: by whom it was told, and by the digest of its members.

    ``before``: digests that it had before a hard purge.
    """

    external_version: str
    digest: str
    before: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """It came by an event, and was not taken by this platform."""
        return self.external_version.startswith((UNKNOWN, TOLD))

    @property
    def unnamed(self) -> bool:
        """It was told without a version."""
        return self.external_version in (UNKNOWN, TOLD)

    @property
    def names(self) -> set[str]:
        """Versions that mean it, as that of a state whose members nobody told is written."""
        if self.external_version.startswith(UNKNOWN):
            return {self.external_version}
        if self.external_version.startswith(TOLD):
            version = self.external_version.removeprefix(TOLD)
            return {UNKNOWN + version if version.startswith(MARK) else fitted(UNKNOWN, version)}
        known = {fitted(UNKNOWN, self.external_version)} if self.external_version else set()
        return known | {UNKNOWN + digest for digest in (self.digest, *self.before)}


def may_be(one: State, other: State) -> bool:
    """Return whether two states of one data set may be the same; one of them was told."""
    if not (one.told or other.told):
        return False
    if one.unnamed or other.unnamed or one.names & other.names:
        return True
    if one.told and other.told:
        return False
    own, told = (other, one) if one.told else (one, other)
    return not own.external_version and _of_its_own(told)


def _of_its_own(state: State) -> bool:
    """Whether a version is neither one of our digests nor one of another tool's."""
    (name,) = state.names
    version = name.removeprefix(UNKNOWN)
    return not version.startswith(_ELSEWHERE) and not _DIGEST.fullmatch(version)

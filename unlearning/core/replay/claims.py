"""How much may be claimed of a replay: the same bits as a training from scratch, or the recipe."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from unlearning.core.replay.fingerprint import differences

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from unlearning.core.replay.fingerprint import Fingerprint

_STARTED = time.time_ns()
_ELSEWHERE = "The environment is not that of the training"
NO_SECOND = "There was no second execution to compare with."


class Strength(Enum):
    """What is claimed of a model that was replayed."""

    BIT_EXACT = "bit_exact"
    SAME_RECIPE = "same_recipe"


def this_process() -> str:
    """Return a name of the running process that no other has."""
    return f"{platform.node()}:{os.getpid()}:{_STARTED}"


@dataclass(frozen=True, kw_only=True)
class Execution:
    """One execution of a replay, wherever it ran: what came out, and under what.

    ``work`` names what was executed: the training and its holes. ``digest`` is that of the
    model. ``first`` is the step, over all phases, that was executed first.
    """

    work: str
    digest: str
    fingerprint: Fingerprint
    first: int
    process: str = field(default_factory=this_process)

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Execution:
        """Return what ``as_dict`` gave."""
        return cls(**stored)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What is claimed, and why it is not more, or may be this much."""

    strength: Strength
    reason: str


def claim(
    history: Sequence[Fingerprint],
    execution: Execution,
    second: Execution | None,
    *,
    absent: str = NO_SECOND,
) -> Claim:
    """Return the claim for an execution.

    ``history`` are the environments that the states came from and the steps ran in; ``second``
    is an execution of the same work in another process, ``absent`` why there is none.

    ``bit_exact`` says that training from scratch in this environment, by the same plan with the
    same places empty, gives these bits.
    """
    weakness = _weakness(history, execution, second, absent)
    if weakness:
        return Claim(strength=Strength.SAME_RECIPE, reason=weakness)
    return Claim(
        strength=Strength.BIT_EXACT,
        reason=(
            "The environment is the one that the states came from, and a second execution in "
            "another process gave the same digest."
        ),
    )


def claim_of_subtraction(trained: Fingerprint, execution: Fingerprint) -> Claim:
    """Return the claim for records that were subtracted from integer sums.

    ``trained`` is the environment that the sums were counted in, empty where nobody kept it. The
    integers are equal anyhow; how records were read, and the weights that are derived, are not.
    """
    if not trained:
        weakness = "The environment of the training was not kept."
    else:
        found = differences(trained, execution)
        weakness = f"{_ELSEWHERE}: {'; '.join(found)}." if found else ""
    if weakness:
        return Claim(strength=Strength.SAME_RECIPE, reason=weakness)
    return Claim(
        strength=Strength.BIT_EXACT,
        reason=(
            "The environment is the one in which the sums were counted, and integers do not "
            "depend on the order in which records are added and subtracted."
        ),
    )


def _weakness(
    history: Sequence[Fingerprint], execution: Execution, second: Execution | None, absent: str
) -> str:
    for earlier in history:
        if found := differences(earlier, execution.fingerprint):
            return f"{_ELSEWHERE}: {'; '.join(found)}."
    if second is None:
        return absent
    return _disagreement(execution, second)


def _disagreement(first: Execution, second: Execution) -> str:
    if second.process == first.process:
        return "The second execution ran in the same process, so it was not independent."
    if second.work != first.work:
        return "The second execution was of other work: not this training with these holes."
    if found := differences(first.fingerprint, second.fingerprint):
        return f"The second execution ran in another environment: {'; '.join(found)}."
    if second.digest != first.digest:
        return f"The second execution gave the digest {second.digest}, not {first.digest}."
    return ""

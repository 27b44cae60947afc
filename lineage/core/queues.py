"""The queues that jobs wait in, and what is done in each."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

GPU = "gpu"  # nobody need take from it unless EXPUNGE_DEVICE is cuda
# Beside them "intake" carries short messages; it has no jobs, and so nothing to pause.
QUEUES: Mapping[str, str] = MappingProxyType(
    {
        "lineage": "finding records and versions, planning, deleting, membership tiles",
        "heavy": "training, unlearning, scoring and the attacks of audits",
        "gpu": "all of this and planning, where the installation computes on a CUDA device",
        "report": "writing reports",
    }
)


class QueueUnknown(ValueError):
    """There is no such queue of jobs."""

    def __init__(self, queue: str) -> None:
        super().__init__(f"queue is {queue!r}; allowed are {', '.join(QUEUES)}.")

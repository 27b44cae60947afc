"""Where a captured training is noted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from expunge.sink import Finish, Start


@dataclass
class Notes:
    """A sink that keeps what it is told."""

    started: list[Start] = field(default_factory=list)
    finished: list[Finish] = field(default_factory=list)
    failed: list[tuple[str, str]] = field(default_factory=list)

    def begin(self, start):
        self.started.append(start)
        return f"run {len(self.started)}"

    def finish(self, run, finish):
        self.finished.append(finish)
        return f"version of {run}"

    def fail(self, run, reason):
        self.failed.append((run, reason))


@pytest.fixture
def sink():
    return Notes()

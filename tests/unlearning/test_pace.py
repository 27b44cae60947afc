"""What is left is judged by what was done since somebody began to watch."""

from __future__ import annotations

import pytest

from unlearning.core.pace import Pace, in_words


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_said_before_anything_is_done_or_after_the_last():
    clock = Clock()
    pace = Pace(clock=clock)
    assert pace.left(0, 4) == ""
    clock.now += 10
    assert pace.left(0, 4) == ""
    assert pace.left(1, 4) == "about 30 s left"
    assert pace.left(4, 4) == ""


def test_what_an_earlier_try_did_tells_nothing_of_the_speed():
    clock = Clock()
    pace = Pace(clock=clock)
    assert pace.left(10, 16) == ""  # of which ten were there already
    clock.now += 60
    assert pace.left(12, 16) == "about 2 min left"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "about 1 s left"),
        (90, "about 90 s left"),
        (91, "about 2 min left"),
        (5400, "about 90 min left"),
        (5401, "about 2 h left"),
    ],
)
def test_a_duration_is_told_in_one_unit(seconds, words):
    assert in_words(seconds) == words

"""A long computation tells how far it is on one line, with elapsed and remaining time."""

from __future__ import annotations

import pytest

from unlearning.core.progress_line import ProgressLine, elapsed


class Told:
    """What a line wrote, by a clock that is set by hand."""

    def __init__(self) -> None:
        self.now, self.written = 50.0, ""
        self.line = ProgressLine(write=self.write, clock=lambda: self.now)

    def write(self, text: str) -> None:
        self.written += text

    def shown(self) -> list[str]:
        """Return what a terminal would show, line by line."""
        screen = []
        for line in self.written.split("\n"):
            cells: list[str] = []
            for part in line.split("\r"):
                cells[: len(part)] = part
            screen.append("".join(cells).rstrip())
        return screen


def test_it_says_what_is_done_what_it_took_and_what_is_left():
    told = Told()
    told.line("train", 0, 40)
    told.now += 10
    told.line("train", 10, 40)
    assert told.shown() == ["train: 10 of 40 (25 %), 10 s so far, about 30 s left"]
    told.now += 55
    told.line("train", 40, 40)
    assert told.shown() == ["train: 40 of 40 (100 %), 1 min 05 s so far", ""]


def test_it_is_not_written_anew_at_every_step():
    told = Told()
    for step in range(100):
        told.now += 0.01
        told.line("train", step, 100)
    assert told.written.count("\r") == 4


def test_what_was_over_in_a_moment_or_left_before_its_end_leaves_nothing():
    told = Told()
    told.line("scaler", 0, 1)
    told.line("scaler", 1, 1)
    told.line("train", 0, 9)
    told.now += 5
    told.line("train", 4, 9)
    told.line("other", 0, 2)
    told.now += 2
    told.line("other", 2, 2)
    assert told.shown() == ["other: 2 of 2 (100 %), 2 s so far", ""]


def test_it_goes_where_the_standard_output_is_then(capsys):
    line = ProgressLine(brief=0.0)
    line("train", 1, 1)
    assert capsys.readouterr().out == "train: 1 of 1 (100 %), 0 s so far\n"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.9, "0 s"), (59.9, "59 s"), (60, "1 min 00 s"), (3725, "62 min 05 s")]
)
def test_elapsed_time_is_told_as_a_clock_does(seconds, words):
    assert elapsed(seconds) == words

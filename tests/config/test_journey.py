"""The twelve situations of `make journey`, looked at without playing them."""

from __future__ import annotations

from config.journey.happened import Happened, as_row
from config.journey.run import SCENARIOS
from config.journey.table import table


def test_there_are_twelve_situations_each_with_its_article():
    assert len({one.name for one in SCENARIOS}) == 12
    assert all(one.article[0].isdigit() for one in SCENARIOS)


def test_the_log_is_edited_last_since_everything_after_it_would_find_that():
    assert SCENARIOS[-1].name == "an edited event is found"


def test_the_table_shows_what_went_wrong_and_where():
    scenario = SCENARIOS[0]
    good = as_row(scenario, Happened(ok=True, what="It went well.", events=[4, 17]))
    bad = as_row(scenario, Happened(ok=False, what="word " * 40))
    lines = table([good, bad]).splitlines()
    assert lines[1].startswith("ok ")
    assert lines[1].rstrip().endswith("4, 17")
    assert sum(line.startswith("BAD") for line in lines) == 1
    assert max(map(len, lines)) <= 140

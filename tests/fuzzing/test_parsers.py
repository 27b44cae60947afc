"""Every parser takes what it should, and ends each of some made-up inputs as it promises."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from tests.fuzzing.making import spoiled
from tests.fuzzing.page import MARKS, section
from tests.fuzzing.parser import Parser
from tests.fuzzing.parsers import PARSERS
from tests.fuzzing.running import run

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "benchmarks/results"
# Links that nobody was sent: the rows behind real ones are in the database.
NEVER_OURS = {"link of a notice", "link of a question"}
SLOW = {"policy values", "time stamp", "certificates"}


@pytest.mark.parametrize("name", sorted(PARSERS.keys() - NEVER_OURS))
def test_a_parser_takes_what_it_is_for(name):
    parser = PARSERS[name]
    taken = []
    for seed in parser.seeds:
        try:
            parser.call(seed)
        except parser.refuses:
            continue
        taken.append(seed)
    assert taken


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow, of a picture that is cut off
@pytest.mark.parametrize("name", sorted(PARSERS))
def test_whatever_it_is_given_it_answers_or_refuses(name):
    found = run(PARSERS[name], inputs=40 if name in SLOW else 150, seed=7)
    assert found.examples == []
    assert not found.failed
    assert found.values + sum(found.refused.values()) == found.inputs


def spin(_value):
    while True:
        time.process_time()


def crash(_value):
    raise KeyError("a")


@pytest.mark.parametrize(
    ("call", "kind"), [(crash, "KeyError at crash"), (spin, "TooSlow at stop")]
)
def test_a_parser_that_breaks_its_promise_is_found(call, kind):
    parser = Parser(name="bad", reads="", call=call, refuses=(), seeds=("a",), seconds=0.02)
    found = run(parser, inputs=3, seed=1)
    assert dict(found.failed) == {kind: 3}
    assert len(found.examples) == 1


def test_a_parser_that_takes_too_much_memory_is_found():
    parser = Parser(
        name="big",
        reads="",
        call=lambda _: bytes(60 << 20),
        refuses=(),
        seeds=("a",),
        megabytes=-1,
    )
    assert run(parser, inputs=1, seed=1).failed["memory"] == 1


@pytest.mark.parametrize("name", ["sealed record", "checkpoint", "OpenLineage event"])
def test_the_same_seed_spoils_alike(name):
    one, other = (spoiled(PARSERS[name], random.Random(5)) for _ in range(2))
    assert repr(one) == repr(other)


@pytest.mark.parametrize("name", ["fuzzing.json", "fuzzing-guided.json"])
def test_what_is_recorded_is_of_these_parsers_and_on_the_page(name):
    recorded = json.loads((RECORDED / name).read_text())
    assert [one["name"] for one in recorded["parsers"]] == list(PARSERS)
    assert recorded["inputs"] >= 100_000
    assert recorded["failures"] == 0
    begin, end = MARKS[recorded["format"]]
    page = (ROOT / "docs/reliability.md").read_text()
    assert page.partition(begin)[2].partition(end)[0].strip() == section(recorded).strip()

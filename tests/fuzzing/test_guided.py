"""The half of the guided run that needs no atheris: inputs as bytes, the target, what is read."""

from __future__ import annotations

import importlib.abc
import json
import random
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzzing.__main__ import main
from tests.fuzzing.as_bytes import NoInput, changed, dictionary, from_bytes, to_bytes
from tests.fuzzing.guided import (
    AtherisMissing,
    Reached,
    Target,
    instrumented,
    options,
    outcome_of,
    reached_in,
)
from tests.fuzzing.parser import Parser
from tests.fuzzing.parsers import PARSERS

if TYPE_CHECKING:
    from tests.fuzzing.running import Outcome

SAID = """INFO: Seed: 3
#4\tINITED cov: 14 ft: 21 corp: 2/26b exec/s: 0 rss: 439Mb
#12\tNEW    cov: 15 ft: 25 corp: 3/53b lim: 4096 exec/s: 0 rss: 439Mb L: 27/27 MS: 1 Custom-
#64\tpulse  cov: 15 ft: 26 corp: 4/61b lim: 4096 exec/s: 32 rss: 439Mb
"""


class Blocked(importlib.abc.MetaPathFinder):
    """An environment without atheris, whatever this one has."""

    def find_spec(self, fullname, path, target=None):
        if fullname == "atheris":
            raise ImportError(fullname)


@pytest.fixture
def without_atheris(monkeypatch):
    monkeypatch.delitem(sys.modules, "atheris", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Blocked(), *sys.meta_path])


def parser(call=len, seeds=("a",)):
    return Parser(name="one", reads="", call=call, refuses=(ValueError,), seeds=seeds)


def longer(data, longest):
    return (data + b"\xff\x00\xed\xa0\x80")[:longest]


@pytest.mark.parametrize("name", sorted(PARSERS))
def test_a_good_input_comes_back_from_its_bytes(name):
    one = PARSERS[name]
    for seed in one.seeds:
        assert from_bytes(one.kind, to_bytes(one.kind, seed)) == seed


@given(st.binary(max_size=40))
def test_any_bytes_are_a_text_that_comes_back(data):
    text = from_bytes("text", data)
    assert from_bytes("text", to_bytes("text", text)) == text


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["zip", "list of ordinals", "OpenLineage event", "kinds of messages"]),
    st.integers(0, 2**32),
)
def test_what_is_changed_is_an_input_and_no_longer_than_it_may_be(name, seed):
    one = PARSERS[name]
    data = to_bytes(one.kind, random.Random(seed).choice(one.seeds))
    made = changed(one, data, len(data) + 20, seed, longer)
    assert len(made) <= len(data) + 20
    from_bytes(one.kind, made)


def test_the_fuzzer_changes_one_text_of_a_json_value():
    one = parser(seeds=({"name": "Ada"},))
    made = {changed(one, b'{"name":"Ada"}', 90, seed, longer) for seed in range(30)}
    told = [from_bytes("JSON", data) for data in made]
    assert {"name": "Ada\udcff\0\udced\udca0\udc80"} in told
    assert len(told) > 5


def test_bytes_that_are_no_json_are_put_aside_for_a_good_input():
    made = changed(parser(seeds=({"name": "Ada"},)), b"\n", 90, 3, longer)
    assert "name" in json.loads(made)


@pytest.mark.parametrize("data", [b"{", b"\xff", b"[" * 100_000])
def test_bytes_that_are_no_json_are_no_input(data):
    with pytest.raises(NoInput):
        from_bytes("JSON", data)


def test_every_word_of_the_dictionary_is_quoted_and_not_too_long():
    lines = dictionary().splitlines()
    assert '"\\x25"' in lines
    assert all(2 < len(line) <= 2 + 4 * 64 and line.isascii() for line in lines)


def test_a_run_ends_after_so_many_inputs_and_counts_each():
    ended: list[Outcome] = []
    target = Target(parser(call=int, seeds=("1",)), inputs=3, seconds=60, end=ended.append)
    for data in (b"7", b"x", b"8"):
        assert not ended
        target(data)
    assert ended == [target.found]
    assert (target.found.values, dict(target.found.refused)) == (2, {"ValueError": 1})


def test_a_run_ends_when_its_time_is_over_though_nothing_was_an_input():
    ended: list[Outcome] = []
    now = iter([0.0, 5.0, 11.0])
    target = Target(
        parser(seeds=([],)), inputs=99, seconds=10, end=ended.append, clock=lambda: next(now)
    )
    target(b"{")
    assert not ended
    target(b"{")
    assert [one.inputs for one in ended] == [0]


def test_an_error_that_the_parser_does_not_name_is_a_failure():
    ended: list[Outcome] = []
    target = Target(parser(call=lambda text: text[9]), inputs=1, seconds=9, end=ended.append)
    target(b"a")
    assert dict(ended[0].failed) == {"IndexError at <lambda>": 1}


def test_what_libfuzzer_said_last_is_what_was_reached():
    assert reached_in(SAID) == Reached(edges_of_seeds=14, edges=15, features=26, kept=4)
    assert reached_in("") == Reached()


def test_a_process_that_left_no_outcome_died_and_its_last_input_is_shown(tmp_path):
    (tmp_path / "said").write_text(SAID)
    (tmp_path / "ended-crash-1").write_bytes(b"\0bad")
    found = outcome_of(tmp_path, "one")
    assert (found.inputs, dict(found.failed)) == (64, {"the process died": 1})
    assert "bad" in found.examples[0]
    assert found.as_dict()["edges"] == 15


def test_libfuzzer_is_told_the_limits_of_the_parser(tmp_path):
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "0").write_bytes(bytes(9_000))
    given_ = options(tmp_path, parser(), seed=7)
    assert {"-seed=7", "-max_len=18000", "-timeout=30"} <= set(given_)
    limit = next(one for one in given_ if one.startswith("-rss_limit_mb="))
    assert int(limit.partition("=")[2]) > 512


def test_without_atheris_the_command_says_how_to_get_it(without_atheris, capsys):
    with pytest.raises(AtherisMissing), instrumented():
        pass
    assert main(["--guided"]) == 2
    assert "make fuzz-parsers GUIDED=1" in capsys.readouterr().err

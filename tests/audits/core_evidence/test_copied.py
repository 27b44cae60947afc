"""Copies are made of as many records as a row has room for, and of somebody's of everybody."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audits.attacks.neighbourhood import Neighbourhood
from audits.core.attack import NothingToAttackWith
from audits.core.attacked import judged_by
from audits.core.contrast import keep, recompute_all
from audits.core.copied import MOST, drawn_records
from audits.core.neighbours import COUNT
from audits.core.packed import packed, unpacked
from audits.core.shadow_material import Asked, material
from audits.core.shadow_rows import stack
from audits.core.verdict import Outcome
from audits.execution.stored_rows import as_json, from_json
from tests.audits.core_evidence.test_strict import POLICY, RECORDS, rows

owners = st.lists(st.integers(0, 6), min_size=1, max_size=60)


@given(owners, st.integers(1, 40), st.integers(0, 9))
def test_people_take_turns_until_there_are_enough(whose, most, seed):
    found = drawn_records(whose, seed=seed, most=most)
    if len(whose) <= most:
        assert found == ()
        return
    assert list(found) == sorted(set(found))
    assert len(found) == max(most, len(set(whose)))
    held, chosen = Counter(whose), Counter(whose[place] for place in found)
    fewest = min((chosen[one] for one in held if chosen[one] < held[one]), default=len(whose))
    assert min(chosen[one] for one in held) >= 1
    assert all(chosen[one] <= fewest + 1 for one in held)


@given(owners, st.integers(1, 10))
def test_the_draw_does_not_depend_on_how_people_are_numbered(whose, most):
    other = [9 - one for one in whose]
    assert drawn_records(whose, seed=3, most=most) == drawn_records(other, seed=3, most=most)


def test_another_seed_draws_others():
    assert drawn_records([0] * 60, seed=1, most=9) != drawn_records([0] * 60, seed=2, most=9)


def large(records):
    """The row of a model that forgets many records, of which some have copies."""
    rng, (row, *_) = np.random.default_rng(0), rows()
    places = np.array(drawn_records([0] * records, seed=1))
    around = {
        name: rng.normal(0, 5, (len(places), COUNT))
        for name in ("neighbours_before", "neighbours_after", "neighbours_retrained")
    }
    return replace(row, before=rng.normal(size=records), neighbours_of=places, **around)


@pytest.mark.parametrize("records", [MOST + 1, 100_000])
def test_what_is_stored_of_copies_is_bounded_however_many_records_there_are(records):
    stored = as_json(large(records))
    copies = {name: value for name, value in stored.items() if name.startswith("neighbours")}
    room = 3 * (MOST * COUNT * 4 * 4 // 3 + 60) + 8 * MOST
    assert len(json.dumps(copies)) < room < 70_000


def test_a_row_with_copies_is_read_as_it_was_written_to_seven_digits():
    row = large(1000)
    again = from_json(json.loads(json.dumps(as_json(row))))
    np.testing.assert_array_equal(again.neighbours_of, row.neighbours_of)
    np.testing.assert_allclose(np.array(again.neighbours_after), row.neighbours_after, rtol=1e-6)
    assert np.array_equal(again.before, row.before)
    assert json.dumps(as_json(again)) == json.dumps(as_json(row))


def test_a_row_of_an_earlier_release_is_read_as_it_was():
    (row, *_) = rows()
    around = np.arange(6.0).reshape(3, 2)
    old = as_json(row) | {"neighbours_after": around.tolist()}
    del old["neighbours_of"]
    again = from_json(old)
    assert again.neighbours_of is None
    np.testing.assert_array_equal(again.neighbours_after, around)


def test_margins_that_are_no_numbers_stay_so():
    values = np.array([[np.nan, np.inf], [1e300, -2.5]])
    assert np.array_equal(
        unpacked(packed(values)), [[np.nan, np.inf], [np.inf, -2.5]], equal_nan=True
    )


# --- attacks on the records that have copies ----------------------------------------------------

SOME = np.array([1, 4, 5, 9, 12, 14])
OWNERS = np.arange(RECORDS) % 2


def partly(**far: float):
    """The same models, of which only some records' copies were asked about."""
    return [
        replace(
            row,
            neighbours_of=SOME,
            **{
                name: None if (found := getattr(row, name)) is None else found[SOME]
                for name in ("neighbours_before", "neighbours_after", "neighbours_retrained")
            },
        )
        for row in rows(**far)
    ]


def attacked(found, asked):
    alone = keep(stack(found), seed=0, index=asked.index, subjects=asked.owners)
    mine = asked.of_copied(found)
    watched = material(found, mine.columns, mine.member)
    beside = judged_by(alone, Neighbourhood(), watched, index=mine.index, subjects=mine.owners)
    return {"u_lira": alone, "neighbourhood": beside}


def question(found, owners=None):
    return Asked(
        columns=np.arange(RECORDS),
        member=stack(found).member,
        index=np.random.default_rng(2).permutation(RECORDS),
        owners=owners,
    )


def test_the_attack_is_made_on_the_records_that_have_copies_as_if_there_were_no_others():
    found, whole = partly(), rows()
    both = attacked(found, question(found))
    alone = material(whole, SOME, stack(whole).member)
    mine = question(found).of_copied(found)
    direct = judged_by(both["u_lira"], Neighbourhood(), alone, index=mine.index)
    assert both["neighbourhood"] == direct
    assert len(direct.leak.right_in) == len(SOME)
    assert sorted(mine.index.tolist()) == list(range(len(SOME)))
    assert recompute_all(both, POLICY).outcome is not Outcome.FAIL


def test_everybody_who_has_copied_records_keeps_their_number():
    found = partly()
    both = attacked(found, question(found, OWNERS))
    assert len(both["neighbourhood"].leak.subjects_in) == 2
    assert list(question(found, OWNERS).of_copied(found).owners) == [1, 0, 1, 1, 0, 0]


def test_without_one_copied_record_the_attack_cannot_be_made():
    found = partly()
    asked = replace(question(found), columns=np.array([0, 2]), index=np.arange(2))
    with pytest.raises(NothingToAttackWith, match="copies"):
        attacked(found, asked)


def test_rows_that_name_different_records_are_not_compared():
    found = partly()
    found[3] = replace(found[3], neighbours_of=SOME + 1)
    watched = material(found, SOME, stack(found).member)
    assert watched.after.neighbours is None

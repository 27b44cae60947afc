from __future__ import annotations

import numpy as np
import pytest

from audits.core import evidence_file
from audits.core.canary_words import canary_words
from audits.core.evidence_schema import PayloadUnfit, check_payload
from audits.core.planted import BLIND, NOT_MADE, QUIET, SMOKE, KeptCanaries, judge, plain
from audits.core.policy import EvidencePolicy
from audits.core.recheck import EvidenceRefused, main, recheck

MANY = 32


def kept(before=3.0, after=0.0, seed=1, number=MANY):
    """Scores of a version that leans towards its canaries by so much, before and after."""
    rng = np.random.default_rng(seed)
    included = rng.integers(0, 2, number).astype(bool)

    def scores(lean):
        return plain(rng.standard_normal(number) + lean * included)

    return KeptCanaries(
        included=tuple(included.tolist()),
        leaning_before=scores(before),
        leaning_after=scores(after),
        margins_before=scores(before),
        margins_after=scores(after),
    )


def written(found, outcome=None, smoke=False, **changes: object):
    told = judge(found, alpha=0.05, smoke=smoke)
    payload = {
        "planted": 4 * MANY,
        "digest": "0" * 64,
        "smoke": smoke,
        "kept": found.as_dict(),
        "findings": {},
        "not_made": told.not_made,
        "reasons": list(told.sentences),
    }
    concluded = told.verdict.outcome.value if told.verdict else ""
    return evidence_file.write(
        kind="CANARIES",
        payload=payload | changes,
        policy=EvidencePolicy().as_dict(),
        outcome=concluded if outcome is None else outcome,
        reasons=told.verdict.reasons if told.verdict else (),
    )


def test_canaries_that_are_still_seen_fail_and_others_conclude_nothing():
    seen = judge(kept(after=3.0), alpha=0.05, smoke=False)
    assert seen.verdict is not None
    assert seen.verdict.outcome == "FAIL"
    assert "are still seen in the deployed model" in seen.sentences[0]
    quiet = judge(kept(), alpha=0.05, smoke=False)
    assert (quiet.verdict, quiet.sentences) == (None, (QUIET,))


def test_forgetting_too_well_is_seen_too():
    assert judge(kept(after=-3.0), alpha=0.05, smoke=False).verdict is not None


def test_so_often_does_an_honest_result_fail():
    found = [judge(kept(seed=seed), alpha=0.05, smoke=False) for seed in range(600)]
    failed = np.mean([one.verdict is not None for one in found])
    assert 0.01 < failed < 0.06  # one of the two tests is discrete, and so keeps below its level


def test_what_was_made_exactly_fails_at_a_level_of_its_own():
    found = kept(after=0.7)
    lowest = min(one.p_value for one in judge(found, alpha=0.05, smoke=True).found.values())
    assert SMOKE / 2 < lowest < 0.05 / 2
    assert judge(found, alpha=0.05, smoke=False).verdict is not None
    assert judge(found, alpha=0.05, smoke=True).verdict is None


def test_a_version_that_never_saw_its_canaries_says_so():
    assert judge(kept(before=0.0, seed=3), alpha=0.05, smoke=False).sentences == (BLIND,)


def test_a_share_without_scores_shows_nothing():
    nothing = (None,) * 4
    empty = KeptCanaries(
        included=(False,) * 4,
        leaning_before=nothing,
        leaning_after=nothing,
        margins_before=nothing,
        margins_after=nothing,
    )
    told = judge(empty, alpha=0.05, smoke=False)
    assert (told.verdict, told.sentences, set(told.not_made)) == (
        None,
        (NOT_MADE,),
        {"gaussian_poison", "one_run"},
    )


@pytest.mark.parametrize("after", [0.0, 3.0])
def test_the_file_alone_gives_the_conclusion_again(after, tmp_path, capsys):
    file = tmp_path / "evidence.json"
    file.write_bytes(written(kept(after=after)))
    assert main([str(file)]) == 0
    assert ("Again:    FAIL" in capsys.readouterr().out) == bool(after)


@pytest.mark.parametrize(("after", "claimed"), [(3.0, ""), (0.0, "FAIL"), (0.0, "PASS_LEAK")])
def test_another_conclusion_is_found(after, claimed):
    assert not recheck(written(kept(after=after), outcome=claimed)).agrees


def test_a_member_that_nobody_published_is_refused():
    with pytest.raises(EvidenceRefused, match="does not fit the schema"):
        recheck(written(kept(), seed=1))
    with pytest.raises(PayloadUnfit):
        check_payload("CANARIES", {"planted": 1})


@pytest.mark.parametrize("hole", [None, 3, [], {}, {"gaussian_poison": 7}])
def test_the_words_take_nothing_for_granted(hole):
    payload = {"planted": hole, "kept": hole, "findings": hole, "not_made": hole}
    assert all(isinstance(value, str) for _, value in canary_words(payload))

"""Values inside sentences are told in the language of the page: states above all."""

from __future__ import annotations

import copy
from datetime import date

import pytest
from django.utils import translation
from django.utils.translation import gettext

from audits.models import Decision, ErasureRequest, Letter
from audits.queries.page_words import retold
from audits.services.transitions import ALLOWED, cannot_become
from lineage import locations
from lineage.core.worded import Day, Worded, long_day, worded, worded_of
from lineage.models import LabelConflict, ModelVersion

TODAY = date(2026, 11, 27)
FOREIGN = ("de", "fr")
LABELS = [
    label
    for states in (ErasureRequest.Status, Decision.State, Letter.State, LabelConflict.State)
    for label in states.labels
] + ModelVersion.State.labels
SENTENCE = "Case %(case)s is %(state)s and has no outcome to seal yet."


def told(language, words, **values: object):
    with translation.override(language):
        return retold(worded(words, **values))


@pytest.mark.parametrize("language", FOREIGN)
def test_a_state_that_is_named_by_its_label_is_told_whole(language):
    for label in LABELS:
        text = told(language, "%(version)s is %(state)s.", version="m v1", state=label.lower())
        with translation.override(language):
            # Some have a form of their own within a sentence.
            names = {gettext(str(label)).lower(), gettext(label.lower()).lower()}
        assert text.lower().endswith(tuple(f"{name}." for name in names - {label.lower()})), text


@pytest.mark.parametrize("language", ["en", *FOREIGN])
def test_a_state_that_is_named_by_its_code_is_told_in_words(language):
    for status in ErasureRequest.Status:
        text = told(language, SENTENCE, case="ER-1", state=status.value)
        assert "_" not in text
        assert status.value not in text
        assert language == "en" or status.value.lower() not in text.lower().split(), text


@pytest.mark.parametrize("language", FOREIGN)
def test_where_a_case_may_come_from_is_told_in_words(language):
    request = ErasureRequest(reference="ER-1", status="INFO_ASKED")
    for to in ALLOWED:
        with translation.override(language):
            text = retold(cannot_become(request, to))
        assert "_" not in text
        assert "Info" not in text


@pytest.mark.parametrize("language", FOREIGN)
def test_what_a_setting_of_a_place_may_be_is_told(language):
    for kind in locations.KINDS:
        for one in locations.settings_of(kind):
            if one.kind is not int:
                allowed = one.setting.allowed
                assert (
                    told(language, "It is %(value)s.", value=worded(allowed))
                    != f"It is {allowed}."
                )
                assert told(language, allowed) != allowed


def test_a_copy_of_a_sentence_remembers_its_values():
    inner = worded_of("reason", "It has %(count)s letters.", count=3)
    whole = worded("%(inner)s Until %(day)s.", inner=inner, day=long_day(TODAY))
    again = copy.deepcopy(whole)  # as between processes: by what an object is reduced to
    assert again == whole
    assert (again.words, again.field, again.values) == (whole.words, "", whole.values)
    kept, day = again.values["inner"], again.values["day"]
    assert isinstance(kept, Worded)
    assert isinstance(day, Day)
    assert (kept.field, day.on) == ("reason", TODAY)

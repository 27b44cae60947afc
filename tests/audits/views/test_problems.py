"""What a form of staff says of mistakes: field by label, value, what is allowed, a link."""

from __future__ import annotations

import pytest
from django import forms

from audits.forms import PlainForm
from audits.views.problems import problems, refuse


class Asked(PlainForm):
    day = forms.DateField(label="Which day?")
    days = forms.IntegerField(label="Days", min_value=1, required=False)
    name = forms.CharField(label="Name", max_length=3)
    way = forms.ChoiceField(label="Way", choices=[("A", "a")], widget=forms.RadioSelect)
    said = forms.CharField(label="Why?", error_messages={"required": "Write the reason."})
    set_path = forms.CharField(label="Path", required=False)


GOOD = {"day": "2030-03-31", "days": "2", "name": "abc", "way": "A", "said": "So."}


@pytest.mark.parametrize(
    ("change", "place", "sentence"),
    [
        ({"day": "soon"}, "#id_day", "Which day? 'soon' is no day; enter one as year-month-day"),
        ({"days": "x"}, "#id_days", "Days: 'x' is no whole number."),
        ({"days": "0"}, "#id_days", "Days: 0 is too small; allowed is 1 or more."),
        ({"name": "abcd"}, "#id_name", "Name: 4 characters are too many; at most 3 are allowed."),
        ({"name": ""}, "#id_name", "Name: Fill this in."),
        ({"way": "B"}, "#id_way_0", "Way: 'B' is not to be had; select one of those shown."),
        ({"said": ""}, "#id_said", "Why? Write the reason."),
    ],
)
def test_a_mistake_is_said_with_label_value_and_what_is_allowed(change, place, sentence):
    ((link, said),) = problems(Asked({**GOOD, **change}))
    assert link == place
    assert said.startswith(sentence)


def test_a_sentence_of_a_service_goes_to_the_field_that_it_names():
    form = Asked(GOOD)
    assert form.is_valid()
    for sentence in ("day_at is 3; allowed is 4.", "path is ''; allowed is /.", "It is full."):
        refuse(form, sentence, {"day_at": "day"}, prefix="set_")
    assert problems(form) == [
        ("#id_day", "It is full."),
        ("#id_day", "Which day? It is 3; allowed is 4."),
        ("#id_set_path", "Path: It is ''; allowed is /."),
    ]


def test_nothing_is_wrong_with_a_blank_form():
    assert problems(Asked()) == problems(forms.Form()) == []

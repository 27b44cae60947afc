"""Sentences with values are known again on a page, and told in the language of its reader."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.utils import translation

from audits.core.foreseen import (
    OF_RIGHTS,
    PHASES,
    PLANNER,
    REFUSALS,
    SCHEDULE,
    SENTENCES,
    foreseen,
)
from audits.core.roles import Right, refusal
from audits.queries import page_words
from unlearning.core.pace import in_words

ROOT = Path(__file__).parents[2]
FOLDERS = (
    *("audits/execution", "audits/queries", "audits/services"),
    *("unlearning/core/planning", "unlearning/core/scheduling", "unlearning/execution"),
)
PLACE = re.compile(r"%\(\w+\)s")
# Where each piece stands is looked for by itself where a sentence is put together of two.
JOINT = re.compile(r"%\(\w+\)s|: | models | instance test, ")


@pytest.fixture(scope="module")
def said_by_the_code():
    """All constant texts of the product, and of texts with values the parts between them."""
    files = (path for folder in FOLDERS for path in (ROOT / folder).glob("*.py"))
    trees = (ast.parse(path.read_text()) for path in files)
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return "\n".join(node.value for node in nodes if isinstance(node.value, str))


def test_every_foreseen_sentence_is_said_somewhere_in_the_code(said_by_the_code):
    ours = (*PLANNER, *SCHEDULE, *PHASES, *(one for one in REFUSALS if one not in OF_RIGHTS))
    pieces = {piece.strip(" .") for one in ours for piece in JOINT.split(one)}
    assert [piece for piece in pieces if piece not in said_by_the_code] == []


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_with_values_is_found_again(sentence):
    numbers = iter(range(10, 99))
    filled = PLACE.sub(lambda _: str(next(numbers)), sentence)
    found = foreseen(filled)
    assert found is not None
    template, values = found
    assert template % values == filled


def test_what_nobody_foresaw_stays_as_it_is():
    assert foreseen("The moon is full.") is None
    assert page_words.retold("The moon is full.") == "The moon is full."
    assert page_words.retold(None) == ""


def test_in_english_a_sentence_is_what_was_said():
    for sentence in (refusal(Right.OPERATE), "Shadow models 1 to 16, about 8 s left"):
        assert page_words.phase(sentence) == sentence


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (refusal(Right.HANDLE), "Dazu braucht es die Rolle Sachbearbeitung."),
        (refusal(Right.READ), " oder "),
        (
            "Case ER-1 is RESTRICTED; it can become PLANNED only from ACCEPTED, APPROVED.",
            "„eingeschränkt“",
        ),
        ("It takes 980 s more work than rewind_and_replay.", "Es braucht 980 s mehr Arbeit"),
        ("Past their due date, and still waiting: 3. Answer them by other means.", "wartend: 3."),
    ],
)
def test_a_sentence_is_told_in_german(said, told):
    with translation.override("de"):
        assert told in page_words.retold(said)


def test_a_phase_is_told_with_its_method_and_what_is_left():
    with translation.override("fr"):
        left = in_words(8)
        assert page_words.phase(f"Shadow models 1 to 16, trained all at once, {left}") == (
            "Modèles fantômes 1 à 16, entraînés tous à la fois, encore environ 8 s"
        )
        assert page_words.phase("Retraining: digits v2").endswith(": digits v2")
        assert page_words.phase("Writing the report") == "Écriture du rapport"
        assert page_words.phase("epoch") == "epoch"


def test_every_refusal_names_no_person():
    assert not [one for one in REFUSALS if "%(person)" in one or "%(email)" in one]

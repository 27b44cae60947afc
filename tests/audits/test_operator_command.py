"""The operator's own cases from the command line."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import CommandError, call_command

from audits.models import ErasureRequest, OperatorCase
from tests.audits.operator_worlds import SPOILT, spoilt, staff
from tests.audits.world import ADA

pytestmark = pytest.mark.django_db


def told(*words: str):
    out = io.StringIO()
    call_command("operator_case", *words, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_case_is_started_scored_and_proposed(world):
    world.train("ones", spoilt(), recipe_parameters=SPOILT)
    staff("ann")
    with world.commit(execute=True):
        said = told(
            "start", "mislabelled", "--model", "ones:1", "--records", "0,3,7", "--by", "ann"
        )
    assert (said["status"], said["chosen"], said["seeds"]) == ("DRAFT", 3, 3)
    assert said["reference"].startswith("OP-")
    world.wake(ErasureRequest.objects.get())
    world.work()
    scored = told("show", said["reference"])
    assert (scored["chosen"], scored["note"]) == (12, "")
    assert scored["scored"][0].keys() == {"ordinal", "score", "cluster"}
    assert scored["scored"][0]["score"] >= scored["scored"][-1]["score"]
    assert told("propose", said["reference"], "--by", "ann")["status"] == "PROPOSED"


def test_expired_consent_names_people_and_files(world, tmp_path):
    staff("ann")
    people, numbers = tmp_path / "people", tmp_path / "numbers"
    people.write_text(f"{ADA}\n")
    numbers.write_text("30\n31-32\n")
    said = told(
        "start", "EXPIRED_CONSENT", "--dataset", "digits", "--people", str(people),
        "--file", str(numbers), "--by", "ann", "--delete", "--yes",
    )  # fmt: skip
    assert (said["chosen"], said["disposal"]) == (len(world.owned(ADA)) + 3, "DELETE")
    assert ADA not in json.dumps(said)


class Terminal(io.StringIO):
    """Somebody at a keyboard."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (io.StringIO("DELETE\n"), "there is no terminal on which to ask. Give --yes"),
        (Terminal("delete\n"), "DELETE was not typed: no case was started"),
    ],
    ids=["piped", "other word"],
)
def test_a_deletion_is_not_started_unless_somebody_means_it(world, monkeypatch, typed, sentence):
    staff("ann")
    monkeypatch.setattr("sys.stdin", typed)
    words = ["start", "POISONED", "--dataset", "digits", "--records", "1", "--by", "ann"]
    with pytest.raises(CommandError, match=sentence):
        told(*words, "--delete")
    assert not OperatorCase.objects.exists()
    assert told(*words)["disposal"] == "KEEP"  # what deletes nothing is not asked about


def test_a_deletion_is_started_by_typing_the_word(world, monkeypatch):
    staff("ann")
    monkeypatch.setattr("sys.stdin", Terminal("DELETE\n"))
    words = ["start", "POISONED", "--dataset", "digits", "--records", "1", "--by", "ann"]
    assert told(*words, "--delete")["disposal"] == "DELETE"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--records", "1", "--dataset", "nowhere"], "--dataset is 'nowhere'; without --model"),
        (["--records", "1", "--model", "gone:3"], "--model is 'gone:3'; it must be MODEL:VERSION"),
        (["--records", "x", "--dataset", "digits"], "The ordinals contain 'x'"),
        (["--dataset", "digits"], "A forget set needs at least one record of"),
        (["--file", "/no/such/file", "--dataset", "digits"], "/no/such/file cannot be read"),
    ],
    ids=["dataset", "model", "records", "none", "file"],
)
def test_what_is_wrong_is_said(world, words, sentence):
    staff("ann")
    with pytest.raises(CommandError, match=sentence):
        told("start", "POISONED", "--by", "ann", *words)
    assert not OperatorCase.objects.exists()


def test_only_staff_start_a_case_and_only_such_a_case_is_shown(world):
    with pytest.raises(CommandError, match="--by is 'nobody'; it must be the name of an active"):
        told("start", "POISONED", "--by", "nobody", "--records", "1", "--dataset", "digits")
    reference = world.submit().request.reference
    with pytest.raises(CommandError, match="There is no operator's case"):
        told("show", reference)

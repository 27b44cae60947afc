"""What an operator's case says of a record goes when that is erased; the log keeps the digest."""

from __future__ import annotations

import pytest
from django.utils import timezone
from pyroaring import BitMap

from audits import workflow
from audits.models import OperatorCase, ScoredRecord
from audits.queries.operator_cases import account, chosen_of, digest_of, seeds_of
from audits.services import case_scores, forgetting, operator_cases
from audits.services.operator_checks import ForgetSetRefused
from audits.services.transitions import MoveNotAllowed
from lineage.services import purge
from tests.audits.operator_worlds import approved, new_case, opened, staff
from tests.audits.world import ADA, BERT

pytestmark = pytest.mark.django_db


@pytest.fixture
def hard(settings):
    settings.EXPUNGE_PURGE_MODE = "HARD"


def named(world, *, ada=2, bert=1, disposal="KEEP"):
    ordinals = list(world.owned(ADA))[:ada] + list(world.owned(BERT))[:bert]
    return opened(world, new_case(world.dataset.space, seeds=ordinals, disposal=disposal))


def current(case):
    return OperatorCase.objects.get(pk=case.pk)


@pytest.mark.usefixtures("hard")
def test_a_hard_purge_takes_the_records_out_of_what_was_named_and_chosen(world):
    case = named(world)
    seen = digest_of(case)
    world.do(workflow.propose_forget_set, case_id=case.pk, user=staff("ann"))
    assert world.erased(ADA).outcome == "ERASED"
    case = current(case)
    assert seeds_of(case) == chosen_of(case) == BitMap(list(world.owned(BERT))[:1])
    assert (account(case)["seeds"], account(case)["chosen"]) == (3, 1)
    with pytest.raises(MoveNotAllowed, match="was changed after you looked at it"):
        operator_cases.approve(case_id=case.pk, digest=seen, user=staff("bea"), now=timezone.now())


def test_a_soft_one_leaves_the_bits_as_everywhere(world):
    case = named(world)
    world.erased(ADA)
    assert chosen_of(current(case)) == chosen_of(case)


@pytest.mark.usefixtures("hard")
def test_where_none_is_left_nothing_can_be_proposed(world):
    case = named(world, bert=0)
    world.erased(ADA)
    with pytest.raises(ForgetSetRefused, match="every record that was chosen has been erased"):
        operator_cases.propose(case_id=case.pk, user=staff("ann"), now=timezone.now())


@pytest.mark.usefixtures("hard")
def test_a_case_that_deletes_drops_its_own_bits_and_still_says_what_was_approved(world):
    case = named(world, disposal="DELETE")
    before = digest_of(case)
    request = approved(world, case)
    assert (request.status, request.outcome) == ("SEALED", "REMOVED")
    case = current(case)
    assert not seeds_of(case) | chosen_of(case)
    told = account(case)
    assert (told["seeds"], told["chosen"], told["chosen_digest"]) == (3, 3, before)


@pytest.mark.usefixtures("hard")
def test_a_sealed_case_that_kept_its_records_lets_go_of_one_that_is_erased_later(world):
    case = named(world)
    before = digest_of(case)
    approved(world, case)
    assert len(chosen_of(current(case))) == 3  # kept apart, so that it must know which
    world.erased(ADA)
    case = current(case)
    assert len(chosen_of(case)) == 1
    assert account(case)["chosen_digest"] == before


def test_after_a_restore_scores_and_bits_go_again(world):
    case = named(world)
    space, gone = world.dataset.space, BitMap(list(world.owned(ADA))[:2])
    ScoredRecord.objects.create(case=case, ordinal=gone[0], score=1.0, cluster=1)
    purge.erase_records(case_id=case.pk, space=space, ordinals=gone, now=timezone.now(), hard=True)
    for _ in range(2):
        forgetting.forget_everywhere()
        assert not ScoredRecord.objects.exists()
        assert (len(chosen_of(current(case))), current(case).gone_seeds) == (1, 2)


def test_what_was_erased_while_it_was_scored_is_not_proposed(world):
    version = world.train("base", world.snapshot(ADA, BERT))
    new = new_case(world.dataset.space, version, seeds=list(world.owned(BERT))[:3])
    case = world.do(workflow.open_case, new=new, user=staff("ann"))
    gone, kept = world.owned(ADA)[0], world.owned(BERT)[4]
    purge.erase_records(
        case_id=case.pk, space=new.space, ordinals=BitMap([gone]), now=timezone.now()
    )
    case_scores.keep_scores(
        case_id=case.pk,
        records=[(gone, 2.0, 1), (kept, 1.0, 1)],
        finding={"chance": 0.001},
        note="",
        now=timezone.now(),
    )
    assert gone not in chosen_of(current(case))
    assert list(ScoredRecord.objects.values_list("ordinal", flat=True)) == [kept]

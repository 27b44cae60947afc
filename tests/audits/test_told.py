"""Recipients, publications and deployments are told once; what they answer is kept."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core import mail
from django.core.mail import EmailMessage
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from audits import keys
from audits.core.record import verify
from audits.execution.report_told import told_view
from audits.models import ComplianceRecord, Notice, Publication, Recipient
from audits.queries import told
from audits.services import deployments, notice_links, notices, recipients
from audits.services.notices import NoticeRefused
from audits.services.rights import NotAllowed
from audits.services.serving import give_version
from audits.workflow import tasks
from lineage.models import Deployment
from tests.audits.clock_cases import member
from tests.audits.world import ADA, BERT, CLEO, NOW, events, logged

pytestmark = pytest.mark.django_db
REASON = "The association was dissolved, and nobody keeps its machines."


@pytest.fixture
def base(world):
    return world.train("base", world.snapshot(ADA, BERT, CLEO))


def recipient(name="Lab", **fields: Any):  # noqa: ANN401  (fields of what is made)
    versions, datasets = fields.pop("versions", ()), fields.pop("datasets", ())
    contact = fields.pop("contact", f"{name.lower()}@example.org")
    made = Recipient.objects.create(name=name, contact=contact, since=NOW.date(), **fields)
    made.versions.set(versions)
    made.datasets.set(datasets)
    return made


def published(version):
    made = Publication.objects.create(
        where="HUB",
        address="hub.example/base",
        contact="hub@example.org",
        steps="We ask the hub to take the page down.",
        since=NOW.date(),
    )
    made.versions.set([version])
    return made


def deployed(version, place="shop", contact="shop@example.org"):
    return deployments.register(
        version=version,
        place=place,
        kind="ENDPOINT",
        contact=contact,
        user=None,
        now=timezone.now(),
    )


def sealed(world, email=ADA):
    case = world.erased(email)
    assert (case.status, case.failure) == ("SEALED", "")
    return case


def findings(case, signing_key):
    data = bytes(ComplianceRecord.objects.get(request=case).data)
    return verify(data, vkey=keys.verifier_text()).account.findings


def to(address):
    return [one for one in mail.outbox if one.to == [address]]


def follow(client, message):
    (link,) = re.findall(r"https?://[^/]+(/told/\S+)", str(message.body))
    page = client.get(link)
    assert "It is done" in page.content.decode()
    return client.post(link, follow=True)


# --- recipients and publications --------------------------------------------------------------


def test_L20_each_recipient_of_what_is_affected_is_told_once(world, base, signing_key):
    other = world.bare("other", world.snapshot(BERT))
    recipient("Lab", versions=[base])
    recipient("Office", datasets=[world.dataset])
    recipient("Shop", versions=[other])
    recipient("Closed", versions=[base], active=False)
    case = sealed(world)
    tasks.sweep()
    assert [len(to(f"{name}@example.org")) for name in ("lab", "office", "shop", "closed")] == [
        1,
        1,
        0,
        0,
    ]
    assert "* base v1" in to("lab@example.org")[0].body
    assert "* digits" in to("office@example.org")[0].body
    assert ADA not in str([one.body for one in to("lab@example.org")])
    told_of = findings(case, signing_key)["told"]
    assert [(one["role"], one["state"]) for one in told_of["notices"]] == [
        ("RECIPIENT", "SENT"),
        ("RECIPIENT", "SENT"),
    ]
    assert len(told_of["not_acknowledged"]) == 2
    assert "Lab" not in json.dumps(told_of)


@pytest.mark.parametrize("asked", [True, False])
def test_L20_the_answer_names_the_recipients_to_who_asked(world, base, asked):
    recipient("Laboratory", versions=[base])
    case = world.accepted()
    notices.note_who_asked(case_id=case.pk, asked=asked, user=member("Case officer"))
    world.finish(case)
    assert ("Laboratory" in str(mail.outbox[-1].body)) == asked


def test_L20_who_fetched_a_version_with_their_keys_has_received_it(world, base):
    give_version(reader="shop", version_id=base.pk, now=timezone.now())
    give_version(reader="nobody", version_id=base.pk, now=timezone.now())
    recipient("Shop", api_reader="shop")
    assert told.unregistered_readers() == ["nobody"]
    sealed(world)
    assert len(to("shop@example.org")) == 1


def test_L23_a_processor_is_told_under_its_contract_and_cannot_be_kept_without(world, base):
    user = member("Administrator")
    bare = Recipient(name="Cloud", role="PROCESSOR", contact="cloud@example.org")
    with pytest.raises(recipients.EntryRefused, match="Name the contract of a processor"):
        recipients.keep(entry=bare, datasets=[], versions=[base], user=user)
    bare.contract_ref = "DPA 2026/7"
    recipients.keep(entry=bare, datasets=[], versions=[base], user=user)
    sealed(world)
    assert "under this contract: DPA 2026/7." in to("cloud@example.org")[0].body
    with pytest.raises(NotAllowed, match="may not keep the registers"):
        recipients.keep(entry=bare, datasets=[], versions=[], user=member("Auditor"))


def test_L16_who_runs_a_place_of_publication_is_asked_to_remove_it(world, base):
    published(base)
    case = sealed(world)
    assert "base v1" in to("hub@example.org")[0].body
    assert Notice.objects.get(request=case).target == "PUBLICATION"


def test_L20_a_restriction_is_told_to_recipients_and_not_to_publications(world, base):
    published(base)
    recipient("Lab", versions=[base])
    case = world.accepted()
    world.work(until=lambda: world.current(case).plan)
    case = world.current(case)
    for _ in range(2):
        notices.tell_of(request=case, occasion=Notice.Occasion.RESTRICTED, now=timezone.now())
    assert [one.state for one in case.notices.all()] == ["SENT"]
    assert "Please only store this data" in to("lab@example.org")[0].body


def test_L20_a_link_acknowledges_once_a_button_is_pressed(world, base, client):
    recipient("Lab", versions=[base])
    case = sealed(world)
    (message,) = to("lab@example.org")
    page = follow(client, message)
    assert "Thank you" in page.content.decode()
    notice = case.notices.get()
    assert (notice.state, notice.ack_at is not None) == ("ACKNOWLEDGED", True)
    follow_again = client.post(notice_links.ack_url(notice))
    assert follow_again.status_code == 302
    assert events(case).count("notice_acknowledged") == 1
    assert client.get(reverse("audits:acknowledge", args=["forged"])).status_code == 410


def test_L20_impossible_needs_a_right_and_a_reason(world, base):
    recipient("Lab", versions=[base], contact="")
    case = sealed(world)
    notice = case.notices.get()
    assert (notice.state, to("lab@example.org")) == ("DUE", [])
    with pytest.raises(NotAllowed):
        notices.record_not_possible(
            notice_id=notice.pk, reason=REASON, user=member("Auditor"), now=NOW
        )
    officer = member()
    with pytest.raises(NoticeRefused, match="has 4 characters; write at least 20"):
        notices.record_not_possible(notice_id=notice.pk, reason="gone", user=officer, now=NOW)
    notices.record_not_possible(notice_id=notice.pk, reason=REASON, user=officer, now=NOW)
    assert [row["target"] for row in logged(case, "notice_not_possible")] == ["RECIPIENT"]
    notices.record_acknowledgement(notice_id=notice.pk, user=officer, now=NOW)
    with pytest.raises(NoticeRefused, match="acknowledged before"):
        notices.record_not_possible(notice_id=notice.pk, reason=REASON, user=officer, now=NOW)


def test_a_mail_server_that_refuses_holds_up_no_case_and_is_tried_again(world, base, monkeypatch):
    recipient("Lab", versions=[base])

    def refuse(message):
        if message.to == ["lab@example.org"]:
            raise OSError("no route")
        return 1

    with monkeypatch.context() as broken:
        broken.setattr(EmailMessage, "send", refuse)
        case = sealed(world)
    notice = case.notices.get()
    assert (notice.state, notice.error, notice.attempts) == ("FAILED", "OSError", 1)
    assert notices.send_due(now=timezone.now()) == 0  # not at once
    assert notices.send_due(now=notice.next_at) == 1
    assert notices.send_due(now=notice.next_at) == 0
    assert Notice.objects.get().state == "SENT"


# --- deployments ------------------------------------------------------------------------------


def test_Q14_M8_what_still_runs_is_a_task_a_notice_and_a_residual(
    world, base, signing_key, client
):
    deployed(base)
    case = sealed(world)
    assert [str(one) for one in told.still_deployed(case)] == ["base v1 at shop"]
    assert "* base v1 → base v2" in to("shop@example.org")[0].body
    said = findings(case, signing_key)["told"]
    assert [one["open"] for one in said["deployments"]] == [True]
    assert said["not_acknowledged"] == ["base v1 at shop"]
    assert "base v1 at shop" in str(told_view(findings(case, signing_key)))
    follow(client, to("shop@example.org")[0])
    assert told.still_deployed(case) == []
    gone = Deployment.objects.get()
    assert gone.withdrawn_at is not None
    assert gone.acknowledged_at is not None


def test_Q14_a_place_that_comes_to_light_after_the_seal_is_told_as_well(world, base):
    case = sealed(world)
    deployed(base, place="laptop", contact="laptop@example.org")
    tasks.sweep()
    tasks.sweep()
    assert len(to("laptop@example.org")) == 1
    assert [str(one) for one in told.still_deployed(case)] == ["base v1 at laptop"]


def test_Q14_a_switch_over_is_recorded_and_an_acknowledgement_is_still_wanted(
    world, base, signing_key
):
    first = deployed(base)
    case = world.accepted()
    newer = world.bare("base", world.snapshot(BERT))
    deployed(newer)
    case = world.finish(case)
    first.refresh_from_db()
    assert (first.is_open, first.replaced_by, first.acknowledged_at) == (False, newer, None)
    said = findings(case, signing_key)["told"]
    (one,) = said["deployments"]
    assert one["switched_at"] is not None
    assert said["not_acknowledged"] == ["base v1 at shop"]


@pytest.mark.parametrize("how", ["acknowledged", "reason"])
def test_a_case_waits_for_withdrawal_where_that_is_asked(world, base, settings, how):
    settings.EXPUNGE_AWAIT_WITHDRAWAL = True
    place = deployed(base)
    case = world.erased()
    assert case.status == "ERASED"
    if how == "acknowledged":
        deployments.acknowledge(deployment_id=place.pk, by="API", now=timezone.now())
    else:
        notices.record_not_possible(
            notice_id=case.notices.get().pk, reason=REASON, user=member(), now=NOW
        )
    assert world.wake(case).status == "SEALED"


def test_a_command_lists_adds_and_closes_deployments(world, base, capsys):
    call_command("deployments", "list")
    call_command("deployments", "add", "base:1", "edge", "--kind", "DEVICE")
    place = Deployment.objects.get()
    base.state = "WITHDRAWN"
    base.save()
    call_command("deployments", "list")
    call_command("deployments", "gone", str(place.pk))
    call_command("deployments", "list", "--all")
    said = capsys.readouterr().out
    assert "No deployment is registered." in said
    assert "base v1 at edge: MUST GO" in said
    assert "acknowledged" in said

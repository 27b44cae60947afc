"""The command ``expunge`` for staff: webhooks, deployments, objections."""

from __future__ import annotations

import json

import httpx
import pytest

from expunge.cli.session import Exit
from tests.expunge.cli.runs import answer, page, run
from tests.expunge.platforms import Platform, problem

HOOK = {
    "webhook": "w1",
    "name": "desk",
    "state": "ACTIVE",
    "health": "It answers",
    "url": "https://desk.example/",
    "events": ["case.sealed"],
    "secret_number": 3,
}
MESSAGE = {"message": "m1", "type": "webhook.test", "state": "WAITING", "attempts": 0}


def test_a_webhook_is_added_and_its_secret_alone_is_printed():
    platform = Platform(answer({**HOOK, "secret": "whsec_abc"}, 201))
    words = "webhook add desk https://desk.example/ --event case.sealed --event case.received"
    done = run(platform, *words.split())
    assert (done.exit_code, done.stdout) == (0, "whsec_abc\n")
    assert "shown this once" in done.stderr
    assert json.loads(platform.seen[0].content) == {
        "name": "desk",
        "url": "https://desk.example/",
        "events": ["case.sealed", "case.received"],
    }


@pytest.mark.parametrize(
    ("words", "answered", "asked", "said"),
    [
        ("remove --yes desk", httpx.Response(204), "DELETE /api/v1/webhooks/w1", "is removed"),
        ("pause desk", answer(HOOK), "POST /api/v1/webhooks/w1/pause", "desk is paused"),
        ("resume w1", answer(HOOK), "POST /api/v1/webhooks/w1/resume", "goes on"),
        ("test desk", answer(MESSAGE, 202), "POST /api/v1/webhooks/w1/test", "Message m1"),
        (
            "rotate desk",
            answer({**HOOK, "secret": "whsec_new"}),
            "POST /api/v1/webhooks/w1/secret",
            "whsec_new",
        ),
        (
            "redeliver desk m1",
            answer(MESSAGE, 202),
            "POST /api/v1/webhooks/w1/deliveries/m1/again",
            "on its way",
        ),
        (
            "deliveries desk --state FAILED",
            page({**MESSAGE, "status": 500, "error": "", "next_try_at": None}),
            "GET /api/v1/webhooks/w1/deliveries",
            "webhook.test",
        ),
    ],
)
def test_a_webhook_is_named_as_people_name_it(words, answered, asked, said):
    platform = Platform(page({**HOOK, "webhook": "w0", "name": "bank"}, HOOK), answered)
    done = run(platform, "webhook", *words.split())
    assert done.exit_code == 0, done.stderr
    assert said in done.stdout
    assert f"{platform.seen[-1].method} {platform.seen[-1].url.path}" == asked
    done = run(Platform(page()), "webhook", *words.split())
    assert (done.exit_code, done.stdout) == (Exit.REFUSED, "")
    assert "There is no webhook" in done.stderr


def test_what_is_removed_already_after_a_lost_answer_is_removed():
    platform = Platform(page(HOOK), problem(503), problem(404, "There is no webhook."))
    done = run(platform, "webhook", "remove", "--yes", "desk")
    assert (done.exit_code, len(platform.seen)) == (0, 3)
    done = run(Platform(page(HOOK), problem(404, "Gone.")), "webhook", "remove", "--yes", "desk")
    assert (done.exit_code, done.stderr) == (Exit.REFUSED, "Error: Gone.\n")


def test_a_version_is_said_to_run_somewhere_and_the_contact_is_on_no_command_line():
    made = {"deployment": "d1", "name": "faces v1", "usable": True}
    platform = Platform(answer(made, 201))
    words = "deployment add v1 shop --kind HUB --contact -"
    done = run(platform, *words.split(), stdin="ops@example.org\n")
    assert done.exit_code == 0, done.stderr
    assert json.loads(platform.seen[0].content) == {
        "version": "v1",
        "place": "shop",
        "kind": "HUB",
        "contact": "ops@example.org",
    }
    run(platform, "deployment", "gone", "d1")
    assert platform.seen[1].url.path == "/api/v1/deployments/d1/withdrawn"


def test_an_objection_is_decided_and_an_answer_takes_longer_for_reasons_in_files(tmp_path):
    why = tmp_path / "why.txt"
    why.write_text("Nothing outweighs it.")
    platform = Platform(answer({"decision": "d", "state": "PROPOSED"}, 201))
    run(platform, "case", "objection", "ER-1", "--overruled", "--balance", str(why))
    done = run(platform, "case", "extend", "ER-1", "--reason", "NUMBER", "--text", str(why))
    assert done.exit_code == 0, done.stderr
    assert [json.loads(one.content) for one in platform.seen] == [
        {"result": "OVERRULED", "balance": "Nothing outweighs it."},
        {"reason": "NUMBER", "text": "Nothing outweighs it."},
    ]
    done = run(platform, "case", "objection", "ER-1")
    assert (done.exit_code, len(platform.seen)) == (Exit.NOT_ASKED, 2)

"""L22: who may do what, as a table. Every action and every page of staff has a row in it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django.urls import get_resolver, reverse
from django.urls.converters import IntConverter, UUIDConverter

from audits.core.roles import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


INTAKE, OFFICER, REVIEWER = "Intake", "Case officer", "Reviewer"
OPERATOR, AUDITOR, ADMINISTRATOR = "Model operator", "Auditor", "Administrator"

ACTIONS = {
    "enter": {INTAKE, OFFICER},
    "see_mandate": {INTAKE, OFFICER},
    "receive_information": {INTAKE, OFFICER},
    "choose_route": {INTAKE, OFFICER},
    "check_identity": {OFFICER},
    "ask_information": {OFFICER},
    "take_question_back": {OFFICER},
    "close_unidentified": {OFFICER},
    "note_proof_destroyed": {OFFICER},
    "accept": {OFFICER},
    "refuse": {OFFICER},
    "decide_objection": {OFFICER},
    "erase_excepted": {OFFICER},
    "note_place_erased": {OFFICER},
    "plan_lift": {OFFICER},
    "note_notice": {OFFICER},
    "extend": {OFFICER},
    "tell_of_extension": {OFFICER},
    "pause_clock": {OFFICER},
    "resume_clock": {OFFICER},
    "send_staff_letter": {OFFICER},
    "try_letter_again": {OFFICER},
    "post_letter": {OFFICER},
    "decide_duplicate": {OFFICER},
    "decide_duplicates": {OFFICER},
    "open_case": {OFFICER},
    "choose_records": {OFFICER},
    "propose_forget_set": {OFFICER},
    "drop_case": {OFFICER},
    "export": {OFFICER},
    "preview_plan": {OFFICER, OPERATOR},
    "return_forget_set": {OFFICER, REVIEWER},
    "approve_forget_set": {REVIEWER},
    "approve_decision": {REVIEWER},
    "return_decision": {REVIEWER},
    "retry": {OPERATOR},
    "cancel_job": {OPERATOR},
    "take_over": {OPERATOR},
    "destroy_version": {OPERATOR},
    "use_outside_version": {OPERATOR},
    "release_held": {OPERATOR},
    "propose_exception": {OPERATOR},
    "drop_exception": {OPERATOR},
    "pause_webhook": {OPERATOR, ADMINISTRATOR},
    "resume_webhook": {OPERATOR, ADMINISTRATOR},
    "test_webhook": {OPERATOR, ADMINISTRATOR},
    "send_message_again": {OPERATOR, ADMINISTRATOR},
    "pause_queue": {OPERATOR},
    "resume_queue": {OPERATOR},
    "cancel_work": {OPERATOR},
    "retry_work": {OPERATOR},
    "set_owner": {OPERATOR},
    "lift_budget": {OPERATOR},
    "set_budget": {ADMINISTRATOR},
    "approve_exception": {REVIEWER},
    "place_hold": {ADMINISTRATOR},
    "release_hold": {ADMINISTRATOR},
    "publish_letter": {ADMINISTRATOR},
    "restore_letter": {ADMINISTRATOR},
    "keep_longer": {ADMINISTRATOR},
    "propose_policy": {ADMINISTRATOR},
    "approve_policy": {ADMINISTRATOR},
    "return_policy": {ADMINISTRATOR},
    "withdraw_policy": {ADMINISTRATOR},
}
ALL = set(ROLES)
EVERYBODY = {
    *("home", "erasure_form", "erasure_received", "confirm", "erasure_confirmed", "answer"),
    *("status", "status_progress", "withdraw", "status_record", "status_program", "status_report"),
    "acknowledge",
    *("ask", "ask_kind", "ask_email", "ask_check"),
}

# The roles of a page, by the names of its addresses.
GROUPS: dict[str, set[str]] = {
    "request_list case case_progress case_part case_picture forget_set evidence plot figure "
    "evidence_json evidence_table letter "
    "letter_pdf letter_preview letter_texts notice_text report_json report_pdf report_manifest "
    "case_bundle all_evidence holds places label_conflicts version_list version deployments "
    "recipients publications supplier_evidence supplier_file register_list register "
    "register_file processing processing_file edition_pdf "
    "graph graph_json graph_svg graph_prov graph_nodes graph_edges methods "
    "staff_home queues event_log log_event log_event_json log_proof checkpoints "
    "checkpoint policy job job_progress webhooks webhook owners": ALL,
    "enter mandate copy_answer answer_route": {INTAKE, OFFICER},
    "accept refuse erase_excepted identity ask_more question_back unidentified proof_destroyed "
    "objection restrict lift notice extend tell_of_extension pause_clock resume_clock export "
    "duplicates duplicate new_case drop_case send_letter letter_again letter_posted "
    "release_conflict drop_conflict asked_who told_done told_not_possible": {OFFICER},
    "record_picture return_forget_set": {OFFICER, REVIEWER},
    "approve_decision return_decision approve_forget_set approve_exception": {REVIEWER},
    "retry take_over destroy outside release except_version drop_exception destroy_model "
    "claim_anonymity pause_queue resume_queue cancel_work retry_work set_owner "
    "lift_budget": {OPERATOR},
    "cancel_job": {OPERATOR},
    "what_if what_if_answer what_if_progress": {OFFICER, OPERATOR},
    "deployment_gone pause_webhook resume_webhook test_webhook message_again": {
        OPERATOR,
        ADMINISTRATOR,
    },
    "place_hold release_hold new_place new_backup backup_destroyed edit_place try_place "
    "letter_text letter_builtin new_recipient recipient new_publication publication keep_longer "
    "describe_processing propose_policy approve_policy return_policy withdraw_policy": {
        ADMINISTRATOR
    },
}
PAGES = {name: roles for names, roles in GROUPS.items() for name in names.split()}
# Pages that all read and some post to.
POSTS = {
    "forget_set": {OFFICER},
    "deployments": {OPERATOR, ADMINISTRATOR},
    "supplier_evidence": {OPERATOR},
    "owners": {ADMINISTRATOR},
}
WITHOUT_ACTION = {"asked_who", "told_done", "told_not_possible"}  # of a service alone

NOWHERE = uuid.UUID(int=7)
SAMPLES = {UUIDConverter: NOWHERE, IntConverter: 7}


def addresses() -> Iterator[tuple[str, str]]:
    """Return the name and a made-up address of every page of the apps."""
    for app in ("audits", "lineage"):
        for name, pattern in flat(get_resolver(f"{app}.urls").url_patterns):
            made_up = {
                key: SAMPLES.get(type(converter), "x") for key, converter in pattern.items()
            }
            yield name, reverse(f"{app}:{name}", kwargs=made_up)


def flat(
    patterns: Iterable[Any], outer: dict[str, Any] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in patterns:
        converters = {**(outer or {}), **one.pattern.converters}
        if hasattr(one, "url_patterns"):
            yield from flat(one.url_patterns, converters)
        else:
            yield one.name, converters

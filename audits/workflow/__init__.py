"""The life of a case: the only package that enqueues.

* ``actions``: what a person, a member of staff or an operator does; ``operator_actions``: what
  staff do about the operator's own cases; ``letter_actions``: what they do about letters;
* ``clock_actions``: what they do about due dates; ``intake_actions``: what is done about intake,
  identity and restrictions; ``refused``: what is refused is logged;
* ``version_actions``: what they do about versions that stay;
* ``policy_actions``: what administrators do about the policy values that are stored;
* ``preview_actions``: what they ask before anybody asked for anything;
* ``budget_actions``: what is done about owners of models and their budgets;
* ``queue_actions``: what is done about the queues of jobs, and jobs of no case;
* ``webhook_actions``: what is done about other systems that are told what happens;
* ``retention_actions``: what is done about how long closed cases are kept;
* ``decide_actions``: what staff decide about requests, with a second person, and about holds;
* ``steps``: ``advance`` looks at where a case is and does the next step; it may be called at any
  time and any number of times;
* ``tasks``: what Celery rings;
* ``doorbell``: jobs and messages. A job is named by what it is for, so a step that is taken
  twice finds its job already there.
"""

from __future__ import annotations

from audits.workflow.actions import (
    cancel_job,
    confirm,
    decide_duplicate,
    decide_duplicates,
    destroy_version,
    export,
    release_held,
    retry,
    submit,
    take_over,
    train,
    tune,
    use_outside_version,
    withdraw,
)
from audits.workflow.budget_actions import lift_budget, set_budget, set_owner
from audits.workflow.clock_actions import (
    extend,
    pause_clock,
    resume_clock,
    tell_of_extension,
)
from audits.workflow.decide_actions import (
    accept,
    approve_decision,
    decide_objection,
    erase_excepted,
    note_place_erased,
    place_hold,
    refuse,
    release_hold,
    return_decision,
)
from audits.workflow.intake_actions import (
    LetterNotSent,
    ask_information,
    check_identity,
    close_unidentified,
    enter,
    enter_by_key,
    note_notice,
    note_proof_destroyed,
    plan_lift,
    receive_information,
    see_mandate,
    take_question_back,
)
from audits.workflow.letter_actions import (
    LETTERS_OF_STAFF,
    choose_route,
    post_letter,
    publish_letter,
    restore_letter,
    send_staff_letter,
    try_letter_again,
)
from audits.workflow.operator_actions import (
    approve_forget_set,
    choose_records,
    drop_case,
    open_case,
    propose_forget_set,
    return_forget_set,
)
from audits.workflow.policy_actions import (
    approve_policy,
    propose_policy,
    return_policy,
    withdraw_policy,
)
from audits.workflow.preview_actions import preview_plan
from audits.workflow.queue_actions import cancel_work, pause_queue, resume_queue, retry_work
from audits.workflow.retention_actions import keep_longer
from audits.workflow.version_actions import approve_exception, drop_exception, propose_exception
from audits.workflow.webhook_actions import (
    pause_webhook,
    resume_webhook,
    send_message_again,
    test_webhook,
)

__all__ = [
    "LETTERS_OF_STAFF",
    "LetterNotSent",
    "accept",
    "approve_decision",
    "approve_exception",
    "approve_forget_set",
    "approve_policy",
    "ask_information",
    "cancel_job",
    "cancel_work",
    "check_identity",
    "choose_records",
    "choose_route",
    "close_unidentified",
    "confirm",
    "decide_duplicate",
    "decide_duplicates",
    "decide_objection",
    "destroy_version",
    "drop_case",
    "drop_exception",
    "enter",
    "enter_by_key",
    "erase_excepted",
    "export",
    "extend",
    "keep_longer",
    "lift_budget",
    "note_notice",
    "note_place_erased",
    "note_proof_destroyed",
    "open_case",
    "pause_clock",
    "pause_queue",
    "pause_webhook",
    "place_hold",
    "plan_lift",
    "post_letter",
    "preview_plan",
    "propose_exception",
    "propose_forget_set",
    "propose_policy",
    "publish_letter",
    "receive_information",
    "refuse",
    "release_held",
    "release_hold",
    "restore_letter",
    "resume_clock",
    "resume_queue",
    "resume_webhook",
    "retry",
    "retry_work",
    "return_decision",
    "return_forget_set",
    "return_policy",
    "see_mandate",
    "send_message_again",
    "send_staff_letter",
    "set_budget",
    "set_owner",
    "submit",
    "take_over",
    "take_question_back",
    "tell_of_extension",
    "test_webhook",
    "train",
    "try_letter_again",
    "tune",
    "use_outside_version",
    "withdraw",
    "withdraw_policy",
]

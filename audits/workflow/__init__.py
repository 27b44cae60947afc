"""The life of a case: the only package that enqueues.

* ``actions``: what a person, a member of staff or an operator does; ``operator_actions``: what
  staff do about the operator's own cases;
* ``clock_actions``: what they do about due dates; ``intake_actions``: what is done about intake,
  identity, objections and restrictions; ``refused``: what is refused is logged;
* ``steps``: ``advance`` looks at where a case is and does the next step; it may be called at any
  time and any number of times;
* ``tasks``: what Celery rings;
* ``doorbell``: jobs and messages. A job is named by what it is for, so a step that is taken
  twice finds its job already there.
"""

from __future__ import annotations

from audits.workflow.actions import (
    accept,
    confirm,
    decide_duplicate,
    decide_duplicates,
    destroy_version,
    export,
    refuse,
    release_held,
    retry,
    submit,
    take_over,
    train,
    tune,
    use_outside_version,
    withdraw,
)
from audits.workflow.clock_actions import extend, pause_clock, resume_clock, tell_of_extension
from audits.workflow.intake_actions import (
    LetterNotSent,
    ask_information,
    check_identity,
    close_unidentified,
    decide_objection,
    enter,
    enter_by_key,
    note_notice,
    note_proof_destroyed,
    plan_lift,
    receive_information,
    see_mandate,
)
from audits.workflow.operator_actions import (
    approve_forget_set,
    choose_records,
    drop_case,
    open_case,
    propose_forget_set,
    return_forget_set,
)

__all__ = [
    "LetterNotSent",
    "accept",
    "approve_forget_set",
    "ask_information",
    "check_identity",
    "choose_records",
    "close_unidentified",
    "confirm",
    "decide_duplicate",
    "decide_duplicates",
    "decide_objection",
    "destroy_version",
    "drop_case",
    "enter",
    "enter_by_key",
    "export",
    "extend",
    "note_notice",
    "note_proof_destroyed",
    "open_case",
    "pause_clock",
    "plan_lift",
    "propose_forget_set",
    "receive_information",
    "refuse",
    "release_held",
    "resume_clock",
    "retry",
    "return_forget_set",
    "see_mandate",
    "submit",
    "take_over",
    "tell_of_extension",
    "train",
    "tune",
    "use_outside_version",
    "withdraw",
]

"""The life of a case: the only package that enqueues.

* ``actions``: what a person, a member of staff or an operator does; ``operator_actions``: what
  staff do about the operator's own cases;
* ``steps``: ``advance`` looks at where a case is and does the next step; it may be called at any
  time and any number of times;
* ``tasks``: what Celery rings;
* ``doorbell``: jobs and messages. A job is named by what it is for, so a step that is taken
  twice finds its job already there.
"""

from __future__ import annotations

from audits.workflow.actions import (
    LetterNotSent,
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
    "choose_records",
    "confirm",
    "decide_duplicate",
    "decide_duplicates",
    "destroy_version",
    "drop_case",
    "export",
    "open_case",
    "propose_forget_set",
    "refuse",
    "release_held",
    "retry",
    "return_forget_set",
    "submit",
    "take_over",
    "train",
    "tune",
    "use_outside_version",
    "withdraw",
]

"""The life of a case: the only package that enqueues.

* ``actions``: what a person, a member of staff or an operator does;
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
    destroy_version,
    export,
    refuse,
    retry,
    submit,
    take_over,
    train,
    tune,
    use_outside_version,
    withdraw,
)

__all__ = [
    "LetterNotSent",
    "accept",
    "confirm",
    "decide_duplicate",
    "destroy_version",
    "export",
    "refuse",
    "retry",
    "submit",
    "take_over",
    "train",
    "tune",
    "use_outside_version",
    "withdraw",
]

"""Settings of how long is kept what is about people, and what jobs said."""

from __future__ import annotations

from config import environment

__all__ = [
    "EXPUNGE_CASE_DAYS",
    "EXPUNGE_CASE_DAYS_BY_OUTCOME",
    "EXPUNGE_JOB_LINE_DAYS",
    "EXPUNGE_SUPPRESSION_DAYS",
]

# Days on the suppression list; 0: for ever.
EXPUNGE_SUPPRESSION_DAYS = environment.integer("EXPUNGE_SUPPRESSION_DAYS", default=0, low=0)
# Days after which a closed case cannot say any more whose it was; other days by outcome.
EXPUNGE_CASE_DAYS = environment.integer("EXPUNGE_CASE_DAYS", default=1095, low=30)
EXPUNGE_CASE_DAYS_BY_OUTCOME = environment.mapping("EXPUNGE_CASE_DAYS_BY_OUTCOME", default={})
# Days for which the last lines of a job that failed, was stopped or still runs are kept.
EXPUNGE_JOB_LINE_DAYS = environment.integer("EXPUNGE_JOB_LINE_DAYS", default=28, low=1)

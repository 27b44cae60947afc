"""Settings of versions in use: how exactly they answer, how often, and what follows them."""

from __future__ import annotations

from config import environment

__all__ = [
    "EXPUNGE_OUTPUTS",
    "EXPUNGE_QUERIES_PER_DAY",
    "EXPUNGE_QUERY_DAYS",
    "EXPUNGE_ROLL_OVER",
]

EXPUNGE_OUTPUTS = environment.choice("EXPUNGE_OUTPUTS", ("FULL", "1", "2", "3", "4", "LABELS"))
# Answers that one caller may have of all versions of a model in a day; 0: as many as they like.
EXPUNGE_QUERIES_PER_DAY = environment.integer("EXPUNGE_QUERIES_PER_DAY", default=0, low=0)
# Days for which it is kept how often somebody asked; reports of older days are refused.
EXPUNGE_QUERY_DAYS = environment.integer("EXPUNGE_QUERY_DAYS", default=30)
# Whether a process may go on with the next version however exactly it answers.
EXPUNGE_ROLL_OVER = environment.choice("EXPUNGE_ROLL_OVER", ("COARSE", "ANY"))

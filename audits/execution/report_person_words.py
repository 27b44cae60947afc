"""The sentences of the person's edition, which ``report_person`` chooses from."""

from __future__ import annotations

from typing import Any

PERSON: dict[str, Any] = {
    "title": "What became of your request",
    "description": "What was done about one request, for the person who made it",
    "keywords": ["erasure", "GDPR Art. 17", "your request"],
}
TEXTS: dict[str, str | tuple[str, ...]] = {
    "request_head": ("Step", "Day or reason"),
    "request_title": "Your request",
    "data_title": "What became of your data",
    "models_title": "What became of the models",
    "limits_title": "What this cannot show",
    "verify_title": "How you can check this without us",
    "rights": "If you do not agree",
    "verify_log": "The record is entered in a log that we can only write on at its end. This is "
    "the signed state of the log. Keep this document: with it, anybody can see if we ever change "
    "what was in the log by then.",
}
OUTCOMES = {
    "ERASED": "We removed your data, and dealt with every model that we know had learned from it.",
    "NO_DATA_FOUND": "We searched and found no data about you.",
    "EXCEPTED": "We did what you asked for, but for what stays under an exception that the law "
    "allows. It is named below.",
    "REFUSED": "We did not do what you asked for. The reason is given here.",
    "WITHDRAWN": "You took your request back before anything was done.",
    "NOT_IDENTIFIED": "With what we were told we could not tell which data is yours.",
    "RESTRICTION_LIFTED": "We stopped using your data for a time. That time is over, and you were "
    "told beforehand.",
    "RESTRICTION_ERASED": "We stopped using your data until we erased it on another request of "
    "yours.",
    "REMOVED": "The data was taken out of training.",
    "JOINED": "An earlier request of yours was still open. We go on with that one.",
}
ALWAYS = (
    "This document says what we recorded. Anybody can check that it was not changed afterwards. "
    "That does not show that it was true when we wrote it.",
    "It covers the places that we know of. Copies that somebody else made, for instance by "
    "downloading something, are not covered.",
    "A test shows what one kind of attack found. There are attacks that we did not try, and "
    "nothing is said about those.",
    "What happened after this record was signed is not in it.",
)
SOMETIMES = {
    "masked": "In some places rows are left in which nothing names you any more. They are masked, "
    "not erased.",
    "kept": "Some of your data is kept, because the law allows or demands it. It is restricted.",
    "stays": "A model that stays as it is under an exception still holds what it learned from "
    "your data.",
    "unsearched": "Some places were not searched.",
    "backups": "Backups still hold your data until the day on which they are destroyed.",
    "unknown": "Of some models we do not know all that they learned from. They may have learned "
    "from your data and were not changed.",
    "tested": "A changed model may keep traces that our test is too weak to see.",
    "bounded": "A model that was left within a bound may still hold traces within that bound.",
    "removed": "A model from which your data was taken out within a bound may still hold traces "
    "within that bound.",
}
SUMMARIES = {
    "again": (
        "%(n)s was made again without them.",
        "%(n)s were made again without them.",
    ),
    "destroyed": ("%(n)s was destroyed.", "%(n)s were destroyed."),
    "changed": (
        "%(n)s was changed so as to unlearn them, and then tested. That test has limits, which "
        "are listed below.",
        "%(n)s were changed so as to unlearn them, and then tested. Those tests have limits, "
        "which are listed below.",
    ),
    "bounded": (
        "From %(n)s they were taken out by a calculation that comes within a stated distance of "
        "training without them.",
        "From %(n)s they were taken out by calculations that come within a stated distance of "
        "training without them.",
    ),
    "left": (
        "%(n)s was left as it is, within a bound that is stated below.",
        "%(n)s were left as they are, within a bound that is stated below.",
    ),
    "excepted": (
        "%(n)s stays as it is, under an exception that is named below.",
        "%(n)s stay as they are, under exceptions that are named below.",
    ),
    "open": ("%(n)s could not be dealt with yet.", "%(n)s could not be dealt with yet."),
}
CHANNELS = {
    "FORM": "through the form on our site",
    "POST": "by post",
    "PHONE": "by telephone",
    "IN_PERSON": "in person",
    "EMAIL": "by e-mail",
    "API": "through another system of ours",
    "EXCEPTION_ENDED": "We opened it ourselves, as the time of an exception was over.",
    "LATE_MEMBERSHIP": "We opened it ourselves, as one more model turned up.",
}
GROUNDS = {
    "ART_17_1_A": "The data is no longer needed for what it was collected for (Art. 17(1)(a)).",
    "ART_17_1_B": "You took your consent back (Art. 17(1)(b)).",
    "ART_17_1_C": "You objected to the use of the data (Art. 17(1)(c)).",
    "ART_17_1_D": "There was no basis in law for using the data (Art. 17(1)(d)).",
    "ART_17_1_E": "A law demands the erasure (Art. 17(1)(e)).",
    "ART_17_1_F": "The data was collected from a child by an online service (Art. 17(1)(f)).",
    "ART_18_1_A": "You contest that the data is right (Art. 18(1)(a)).",
    "ART_18_1_B": "There is no basis in law for using the data, and you want it kept (Art. "
    "18(1)(b)).",
    "ART_18_1_C": "You need the data for legal claims (Art. 18(1)(c)).",
    "ART_18_1_D": "You objected, and that is being decided (Art. 18(1)(d)).",
}
NOBODY = "As far as our registers say, nobody else had received your data or the models."
NOT_TOLD = "This record does not say who else had received your data. Please ask us."

"""What a statement over many audits means, and what it does not: no stronger than the numbers."""

from __future__ import annotations

NOTHING = "No run was planned in this period, so there is nothing to state."
DOES_NOT_MEAN = (
    "A share is expected over many such statements. It is not the probability that one version "
    "that survives leaks, and in one period the share can be larger.",
    "A pass that does not survive was not taken back: its own verdict holds, at its own error. "
    "It is only not covered by what is said of all together.",
    "Only the leak is corrected for, under the attacks that were made. Whether an attack saw the "
    "records before, the accuracy and the test of the deployed model are judged in each audit at "
    "its own error; a better attack may see more.",
    "Bounds on the record average by Welch's t are as exact as it is with so many models; bets "
    "and counted guesses assume nothing of that kind.",
    "A period that was chosen after looking at its results promises nothing.",
    "Audits of a copy of a version, or of one that was registered anew, are not recognised as "
    "attempts at the same thing.",
)


def means(*, asked: int, passed: int, surviving: int, level: float) -> str:
    """Return in a sentence or three what is stated over the questions put to pools."""
    if not asked:
        return (
            "No question was put to a pool of shadow models in this period, so nothing is stated "
            "about leaks that attacks bounded."
        )
    put = f"{_many(asked, 'question was', 'questions were')} put to pools of shadow models"
    told = f"{put}; {passed} ended with a pass, and {surviving} of these survive"
    if not surviving:
        return f"{told}. So no statement is made about the passes of this period together."
    return (
        f"{told} e-Benjamini-Hochberg at level {level:g}. Of passes that survive, a share of at "
        f"most {100 * level:g} % is expected to leak the margin or more, however the audits "
        f"depend on one another. All {asked} count as tried, those that did not pass included."
    )


def relies(count: int) -> str:
    """Return what is said of passes that rely on a certificate; empty where there are none."""
    if not count:
        return ""
    return (
        f"{_many(count, 'pass relies', 'passes rely')} on a certificate. The pool behind it is "
        f"one question, put when it was made; the runs that rely on it asked none of their own, "
        f"and are in no share that is stated here."
    )


def charged(*, repeated: int, spent: int, owing: int) -> str:
    """Return how many audits followed earlier ones, and what that cost them."""
    if not repeated:
        return "No audit followed another of the same version and records."
    return (
        f"{_many(repeated, 'audit', 'audits')} followed earlier ones of the same version and "
        f"records. {spent} could not pass, since the first had spent all of the error; {owing} "
        f"had to win back what earlier bets lost."
    )


def of_pool(*, asked: int, passed: int, surviving: int, level: float) -> str:
    """Return what is said over the cases that were judged from one pool."""
    return (
        f"{asked} cases were judged from these shadow models; {passed} passed, each at its own "
        f"error. Corrected for their number (e-Benjamini-Hochberg at level {level:g}, which holds "
        f"though they share the models), {surviving} of these survive."
    )


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"

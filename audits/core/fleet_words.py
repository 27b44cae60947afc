"""What a statement over many audits means, and what it does not: no stronger than the numbers."""

from __future__ import annotations

from audits.core.saying import Say, english

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


def nothing(say: Say = english) -> str:
    """Return that there is nothing to state."""
    return say("No run was planned in this period, so there is nothing to state.")


def means(*, asked: int, passed: int, surviving: int, level: float, say: Say = english) -> str:
    """Return in a sentence or three what is stated over the questions put to pools."""
    if not asked:
        return say(
            "No question was put to a pool of shadow models in this period, so nothing is stated "
            "about leaks that attacks bounded."
        )
    put = (
        say("%(n)s question was put to pools of shadow models;", n=asked)
        if asked == 1
        else say("%(n)s questions were put to pools of shadow models;", n=asked)
    )
    if not surviving:
        rest = say(
            "%(passed)s ended with a pass, and %(surviving)s of these survive. So no statement is "
            "made about the passes of this period together.",
            passed=passed,
            surviving=surviving,
        )
        return f"{put} {rest}"
    rest = say(
        "%(passed)s ended with a pass, and %(surviving)s of these survive "
        "e-Benjamini-Hochberg at level %(level)s. Of passes that survive, a share of at most "
        "%(share)s %% is expected to leak the margin or more, however the audits depend on one "
        "another. All %(asked)s count as tried, those that did not pass included.",
        passed=passed,
        surviving=surviving,
        level=f"{level:g}",
        share=f"{100 * level:g}",
        asked=asked,
    )
    return f"{put} {rest}"


def relies(count: int, say: Say = english) -> str:
    """Return what is said of passes that rely on a certificate; empty where there are none."""
    if not count:
        return ""
    first = (
        say("%(n)s pass relies on a certificate.", n=count)
        if count == 1
        else say("%(n)s passes rely on a certificate.", n=count)
    )
    rest = say(
        "The pool behind it is one question, put when it was made; the runs that rely on it asked "
        "none of their own, and are in no share that is stated here."
    )
    return f"{first} {rest}"


def charged(*, repeated: int, spent: int, owing: int, say: Say = english) -> str:
    """Return how many audits followed earlier ones, and what that cost them."""
    if not repeated:
        return say("No audit followed another of the same version and records.")
    first = (
        say("%(n)s audit followed earlier ones of the same version and records.", n=repeated)
        if repeated == 1
        else say("%(n)s audits followed earlier ones of the same version and records.", n=repeated)
    )
    rest = say(
        "%(spent)s could not pass, since the first had spent all of the error; %(owing)s had to "
        "win back what earlier bets lost.",
        spent=spent,
        owing=owing,
    )
    return f"{first} {rest}"


def of_pool(*, asked: int, passed: int, surviving: int, level: float, say: Say = english) -> str:
    """Return what is said over the cases that were judged from one pool."""
    return say(
        "%(asked)s cases were judged from these shadow models; %(passed)s passed, each at its own "
        "error. Corrected for their number (e-Benjamini-Hochberg at level %(level)s, which holds "
        "though they share the models), %(surviving)s of these survive.",
        asked=asked,
        passed=passed,
        surviving=surviving,
        level=f"{level:g}",
    )

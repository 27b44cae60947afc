"""Sentences that the code below the pages builds with values, as pages know them again.

The planner, the scheduler, jobs and services speak English, which is what is stored, logged and
answered to machines. A page finds the sentence here and tells it in the language of its reader.
``%(name)s`` stands for what varies. A test compares each with the code that says it.
"""

from __future__ import annotations

import re
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from audits.core.roles import WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

PLANNER = (
    "It takes %(more)s s more work than %(way)s.",
    "It costs the same and promises no more than %(way)s.",
    "It is the cheapest that is strong enough and in time.",
    "It promises %(strength)s, and a case that the operator started takes exact ways only.",
    "It promises %(strength)s, and the policy asks for %(minimum)s or more.",
    "The policy does not accept differential privacy as a reason to do nothing.",
    "Its %(name)s is %(value)s, and the policy accepts %(most)s at most.",
    "It would be done in %(time)s, and %(left)s are left.",
    "It redoes %(share)s of the training; above %(most)s a full retrain with a fresh plan is "
    "preferred.",
    "The version is not made from integer statistics, or the rows cannot be read any more.",
    "The version was not trained in shards.",
    "Every shard would have to leave the vote: none has a clean state.",
    "Nothing would be left of a shard to train it on.",
    "%(lost)s of %(shards)s shards would have no record left of a class that they knew, and would "
    "vote against it.",
    "It was trained in shards, of which each is gone back in by itself.",
    "No log of steps was kept that says when the records were used first.",
    "The step would spend %(spends)s of the certificate's budget, and %(left)s is left.",
    "The version has no certified removal.",
    "The version was not trained with differential privacy for each person.",
    "It is for one model, and this is a vote of shards, of which those that hold the records can "
    "be trained again.",
    "The version was trained with differential privacy, which an approximate method would give up "
    "and shadow models could not repeat.",
    "Its own defaults are used: the log does not know of search v%(version)s.",
    "Its own defaults are used: search v%(version)s is not what the log says was frozen.",
    "Its own defaults are used: the proxies of search v%(version)s forget records of this "
    "request.",
)
SCHEDULE = (
    "Past their due date, and still waiting: %(count)s. Answer them by other means.",
    "With %(shards)s shards and %(pace)s rebuilds a day a request can become %(age)s days old, "
    "past the deadline of %(deadline)s days: rebuild %(needed)s shards a day or more, or wait "
    "less before a start.",
    "With %(shards)s shards and %(pace)s rebuilds a day a request can become %(age)s days old, "
    "past the deadline of %(deadline)s days: wait less before a start.",
)
PHASES = (
    "Training %(version)s",
    "Tuning %(method)s: training proxy %(number)s of %(count)s",
    "Tuning %(method)s",
    "Shadow models %(first)s to %(last)s, trained all at once",
    "Shadow models %(first)s to %(last)s",
    "Models for the instance test, %(first)s to %(last)s, trained all at once",
    "Models for the instance test, %(first)s to %(last)s",
)
LEFT = ("about %(count)s s left", "about %(count)s min left", "about %(count)s h left")
OF_RIGHTS = tuple(
    f"You may not {words}. That takes the role %(roles)s." for words in WORDS.values()
)
REFUSALS = (
    *OF_RIGHTS,
    "Case %(case)s is %(state)s; it can become %(next)s only from %(states)s.",
    "Case %(case)s was sent by an agent whose mandate nobody has seen.",
    "Case %(case)s: a decision is proposed already. It is approved or sent back before another "
    "can be proposed.",
    "Case %(case)s: the person is not identified. Check their identity, or close the case as not "
    "identified.",
    "Case %(case)s: the person was asked for more already; asking again and again would hinder "
    "them. Decide on what is there.",
    "Case %(case)s: the exceptions keep every record that is held about the person. Refuse the "
    "request instead, or except less.",
    "Case %(case)s does not wait for an answer.",
    "Case %(case)s is your own request, by the e-mail address of your account. Somebody else "
    "decides about it.",
    "You proposed this decision about %(case)s. Somebody else approves it.",
    "You approved case %(case)s. Whoever approves a case does not carry it out: somebody else "
    "decides about its models.",
    "You proposed that record %(record)s leaves, too. A second member of staff decides about it.",
    "The case %(case)s waits for this job. Stop it or try it again on the page of the case.",
    "The work %(job)s of %(case)s has ended or is being stopped.",
    "The result of run %(run)s is not held; there is nothing to decide.",
    "You proposed change %(number)s. Another administrator approves it.",
    "You proposed change %(number)s. Withdraw it instead.",
    "Somebody else proposed change %(number)s. Send it back instead.",
    "Change %(number)s does not wait for a decision.",
    "Change %(number)s waits for a second person. Withdraw it, or wait until it is decided.",
    "Nothing would change: these are the values in force.",
    "Nobody changes their own roles, state or e-mail address. Ask another administrator.",
    "This exception is approved, or was taken back before.",
    "Somebody else than who proposed an exception approves it.",
    "This notice was acknowledged before; nothing was changed.",
    "Case %(case)s has no statutory deadline to extend.",
    "Case %(case)s was extended before; the law lets that be done once.",
    "Case %(case)s has no address to send the notice to.",
    "Case %(case)s is %(state)s; an extension is for requests that were confirmed and are not "
    "answered.",
    "The person had to be told by %(day)s that the answer takes longer; since then %(case)s "
    "cannot be extended. Answer it now.",
    "%(law)s knows no extension for %(case)s.",
    "The reason has %(count)s characters; write at least %(least)s, for the person is told it.",
)
SENTENCES = (*PLANNER, *SCHEDULE, *PHASES, *LEFT, *REFUSALS)
_PLACE = re.compile(r"%\((\w+)\)s")


def foreseen(sentence: str) -> tuple[str, Mapping[str, str]] | None:
    """Return the sentence of this page that another is, and what varies; None for any other."""
    for template, pattern in _patterns():
        if match := pattern.fullmatch(sentence):
            return template, MappingProxyType(match.groupdict())
    return None


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((one, re.compile(_pattern(one))) for one in SENTENCES)


def _pattern(template: str) -> str:
    parts = _PLACE.split(template)
    return "".join(
        f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )

"""The closed list of what the page of a job repeats from its log besides the phases.

Anything else that a job logs may hold words of another program, and those what a record holds: it
stays in the log of the worker. Whoever logs one of these names it: ``extra={"said": CODE}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "SECOND_TOO_LONG": "The second execution took too long and was ended.",
    "SECOND_FAILED": "The second execution failed; the log of the worker says why.",
    "AUDIT_OVER": "The audit is over: nothing more is trained for it.",
    "NOT_SEALED": "The report was not sealed, as there is no key for it.",
    "NOT_RELEASED": "The version is not released.",
    "STAND_IN_NOT_USED": "What would have served meanwhile may not serve.",
}
# A code is told apart from a phase by this; a phase begins with a letter.
MARK = "!"


def words(text: str) -> str:
    """Return what a stored line says: the sentence of a code, or the phase that it is."""
    return SENTENCES.get(text[1:], "") if text.startswith(MARK) else text

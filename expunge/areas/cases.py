"""Cases: how far they are, what was measured, and what a member of staff does by a program."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from expunge.areas.asking import Area, given, part

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from expunge.answers import Case, CaseRun, Decision, Evidence, Extension, WholeCase
    from expunge.calls import Json, Progress


class CaseCalls(Area):
    """The cases of a platform."""

    def case(self, reference: str) -> WholeCase:
        """Return how far a case is."""
        return cast("WholeCase", self._calls.get(f"cases/{part(reference)}"))

    def cases(self, *, kind: str = "", status: str = "") -> Iterator[Case]:
        """Yield the cases that the key may see, page by page, the newest first."""
        found = self._calls.items("cases", **given(kind=kind, status=status))
        return cast("Iterator[Case]", found)

    def case_runs(self, reference: str) -> list[CaseRun]:
        """Return what was unlearned for a case, version by version."""
        return cast("list[CaseRun]", self._calls.listed(f"cases/{part(reference)}/runs"))

    def decisions(self, reference: str) -> list[Decision]:
        """Return what was proposed and decided."""
        return cast("list[Decision]", self._calls.listed(f"cases/{part(reference)}/decisions"))

    def evidence(self, reference: str) -> list[Evidence]:
        """Return each look at each version, with its verdict."""
        return cast("list[Evidence]", self._calls.listed(f"cases/{part(reference)}/evidence"))

    def evidence_file(self, reference: str, evidence: str) -> Json:
        """Return all that was kept of one look."""
        return self._calls.get(f"cases/{part(reference)}/evidence/{part(evidence)}")

    def report(
        self,
        reference: str,
        to: Path | str,
        *,
        edition: str = "regulator",
        form: str = "pdf",
        language: str = "en",
        progress: Progress | None = None,
    ) -> Path:
        """Write what was sealed about a case to a file that only its owner may read.

        Args:
            reference: of the case.
            to: the file, which is there whole or not at all.
            edition: ``regulator`` or ``person``.
            form: ``pdf``; ``json``, the sealed record; ``manifest``; ``zip``, all to verify it.
            language: of the PDF.
            progress: is told (bytes here, bytes in all or None) after each piece.
        """
        address = f"cases/{part(reference)}/report"
        query = {"edition": edition, "format": form, "language": language}
        return self._calls.download(address, Path(to), progress, **query)

    # --- in the name of a member of staff (scope cases:write) ----------------------------------

    def confirm_identity(
        self, reference: str, *, method: str, level: str, doubt: str = "", key: str = ""
    ) -> Case:
        """Say how staff made sure who asks."""
        body = {"method": method, "level": level, "doubt": doubt}
        return cast("Case", self._calls.post(f"cases/{part(reference)}/verify", body, key=key))

    def propose(self, reference: str, decision: Mapping[str, Any], *, key: str = "") -> Decision:
        """Propose to accept or refuse; a second person approves. See DecisionIn in the API."""
        made = self._calls.post(f"cases/{part(reference)}/decisions", decision, key=key)
        return cast("Decision", made)

    def decide_objection(
        self, reference: str, *, upheld: bool, balance: str, key: str = ""
    ) -> Decision:
        """Record the balance of an objection, in words for the person; a second person approves.

        Args:
            reference: of the case.
            upheld: proposes to erase; else to refuse.
            balance: why.
            key: the Idempotency-Key.
        """
        said = {"result": "UPHELD" if upheld else "OVERRULED", "balance": balance}
        made = self._calls.post(f"cases/{part(reference)}/objection", said, key=key)
        return cast("Decision", made)

    def extend(self, reference: str, *, reason: str, text: str, key: str = "") -> Extension:
        """Take longer for a COMPLEXITY or a NUMBER of requests, and tell the person why."""
        said = {"reason": reason, "text": text}
        made = self._calls.post(f"cases/{part(reference)}/extension", said, key=key)
        return cast("Extension", made)

    def withdraw(self, reference: str, *, key: str = "") -> Case:
        """Say that the person took the request back."""
        return cast("Case", self._calls.post(f"cases/{part(reference)}/withdraw", {}, key=key))

"""Which version of this platform runs: the client's, since both come from one repository."""

from __future__ import annotations

from expunge.version import VERSION

__all__ = ["VERSION"]

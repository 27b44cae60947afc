"""An environment in which no program is found."""

from __future__ import annotations

NOTHING = {"PATH": "", "CI": "false"}

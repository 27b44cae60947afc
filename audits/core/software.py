"""Which version of this platform runs."""

from __future__ import annotations

VERSION = "0.1.0"

"""The one place of the version: the build, the client and the server read it here."""

from __future__ import annotations

VERSION = "0.1.0"

"""The case for which records are erased."""

from __future__ import annotations

import uuid

CASE = uuid.UUID(int=1)

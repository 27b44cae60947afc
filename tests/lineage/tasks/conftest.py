"""Waits that are short."""

from __future__ import annotations

import subprocess

import pytest

from lineage import tasks

LEASE, BEAT = 60, 10


@pytest.fixture(autouse=True)
def quick(settings, monkeypatch):
    settings.EXPUNGE_LEASE_SECONDS = LEASE
    real = subprocess.Popen.wait
    monkeypatch.setattr(tasks, "CANCEL_GRACE_SECONDS", 0.2)
    # A beat is a sixth of the lease: here it is a twentieth of a second.
    monkeypatch.setattr(
        subprocess.Popen,
        "wait",
        lambda self, timeout=None: real(self, 0.05 if timeout == BEAT else timeout),
    )

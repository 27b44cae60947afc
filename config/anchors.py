"""Settings of what lets strangers trust the log and the report: seal, time stamps, witness."""

from __future__ import annotations

import os

from config import environment

__all__ = [
    "EXPUNGE_SEAL_CERTIFICATE",
    "EXPUNGE_SEAL_KEY",
    "EXPUNGE_TSA_CERTIFICATE",
    "EXPUNGE_TSA_TIMEOUT",
    "EXPUNGE_TSA_URL",
    "EXPUNGE_WITNESS_KEYS",
    "EXPUNGE_WITNESS_URL",
]

# A certificate that somebody issued, those above it, and its key if it is not in the same file.
EXPUNGE_SEAL_CERTIFICATE = os.environ.get("EXPUNGE_SEAL_CERTIFICATE", "")
EXPUNGE_SEAL_KEY = os.environ.get("EXPUNGE_SEAL_KEY", "") or EXPUNGE_SEAL_CERTIFICATE
# A time-stamping authority (RFC 3161), and the certificates that its tokens are held against.
EXPUNGE_TSA_URL = os.environ.get("EXPUNGE_TSA_URL", "")
EXPUNGE_TSA_CERTIFICATE = os.environ.get("EXPUNGE_TSA_CERTIFICATE", "")
EXPUNGE_TSA_TIMEOUT = environment.integer("EXPUNGE_TSA_TIMEOUT", default=10)
# A witness of the log (C2SP tlog-witness), and the verifier keys of witnesses, past ones too.
EXPUNGE_WITNESS_URL = os.environ.get("EXPUNGE_WITNESS_URL", "")
EXPUNGE_WITNESS_KEYS = environment.words("EXPUNGE_WITNESS_KEYS", default=[])

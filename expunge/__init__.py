"""Client side: API client, capture, serving guard, command line. No Django; torch is optional.

    import expunge

    client = expunge.Client("https://expunge.example.org", api_key)

What is named here is imported when it is first used, so that ``import expunge`` costs nothing and
a process that only asks questions never loads numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from expunge.version import VERSION as __version__  # noqa: N811  (the name that tools look for)

if TYPE_CHECKING:
    from expunge.addresses import NotConfigured
    from expunge.capture import fit, training
    from expunge.client import Client
    from expunge.connection import KeyNotAccepted, PlatformAway
    from expunge.problems import Buffered, Conflict, NotThere, Refused
    from expunge.remote import HttpSink
    from expunge.remote_view import remote_view
    from expunge.serving import Rolling, ServingGuard, newest

_HOMES = {
    "Buffered": "expunge.problems",
    "Client": "expunge.client",
    "Conflict": "expunge.problems",
    "HttpSink": "expunge.remote",
    "KeyNotAccepted": "expunge.connection",
    "NotConfigured": "expunge.addresses",
    "NotThere": "expunge.problems",
    "PlatformAway": "expunge.connection",
    "Refused": "expunge.problems",
    "Rolling": "expunge.serving",
    "ServingGuard": "expunge.serving",
    "fit": "expunge.capture",
    "newest": "expunge.serving",
    "remote_view": "expunge.remote_view",
    "training": "expunge.capture",
}
# Written out, since type checkers and editors read it; a test holds it against the names above.
__all__ = [
    "Buffered",
    "Client",
    "Conflict",
    "HttpSink",
    "KeyNotAccepted",
    "NotConfigured",
    "NotThere",
    "PlatformAway",
    "Refused",
    "Rolling",
    "ServingGuard",
    "__version__",
    "fit",
    "newest",
    "remote_view",
    "training",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'expunge' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    # The import has put the module `remote_view` where its function belongs.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

"""A brake on the public form and on sign-in: so many requests an hour per network and address.

Counts live in the shared cache under keyed hashes, never as addresses. Two requests at the same
instant may count as one: it is a brake, not a lock.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

HOUR = 3600
# One household or office shares a prefix; one mailbox must not be flooded from many.
SHARE_OF_A_MAILBOX = 4
# Tries to sign in that one office may make in an hour; a guesser needs far more.
ATTEMPTS = 300


def too_many(request: HttpRequest, *, email: str, now: datetime) -> bool:
    """Count this request and return whether its network or its mailbox had too many this hour."""
    allowed = settings.EXPUNGE_FORM_PER_HOUR
    by_network = _count(f"network:{network_of(request)}", now)
    by_mailbox = _count(f"mailbox:{email.casefold()}", now)
    return by_network > allowed or by_mailbox > max(1, allowed // SHARE_OF_A_MAILBOX)


def too_many_attempts(request: HttpRequest, *, now: datetime) -> bool:
    """Count this attempt to sign in and return whether its network had too many this hour."""
    return _count(f"sign-in:{network_of(request)}", now) > ATTEMPTS


def network_of(request: HttpRequest) -> str:
    """Return the /24 (IPv4) or /56 (IPv6) network that a request came from."""
    address = request.META.get("REMOTE_ADDR", "")
    if settings.SECURE_PROXY_SSL_HEADER:
        # Behind our proxy: the last entry is the proxy's own word, those before are hearsay.
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    return str(ip_network(f"{found}/{24 if found.version == 4 else 56}", strict=False))  # noqa: PLR2004  (IP version)


def _count(what: str, now: datetime) -> int:
    hour = int(now.timestamp()) // HOUR
    key = f"form:{salted_hmac('audits.limiter', f'{hour}:{what}').hexdigest()}"
    count: int = cache.get(key, 0) + 1
    cache.set(key, count, HOUR)
    return count

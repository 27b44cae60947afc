"""A brake on the public form and on sign-in: so many requests an hour per network and address.

Counts live in the shared cache under keyed hashes, never as addresses. Two requests at the same
instant may count as one: it is a brake, not a lock.
"""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.cache import cache
from django.utils.crypto import salted_hmac

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
HOUR = 3600
# One household or office shares a prefix; one mailbox must not be flooded from many.
SHARE_OF_A_MAILBOX = 4
# Tries to sign in that one office may make in an hour; a guesser needs far more.
ATTEMPTS = 300
# What a proxy calls from where none is named: this machine, and networks that are not public.
NEAR = tuple(
    ip_network(one)
    for one in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
        *("100.64.0.0/10", "169.254.0.0/16"),  # of pods and balancers
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::\d*)?|([\d.]+):\d*")


def too_many(request: HttpRequest, *, email: str, now: datetime) -> bool:
    """Count this request and return whether its network or its mailbox had too many this hour.

    A network above its limit counts no mailbox: it would fill the cache, and shut others out.
    """
    allowed = settings.EXPUNGE_FORM_PER_HOUR
    if _count(f"network:{network_of(request)}", now) > allowed:
        return True
    by_mailbox = _count(f"mailbox:{email.casefold()}", now)
    return by_mailbox > max(1, allowed // SHARE_OF_A_MAILBOX)


def too_many_attempts(request: HttpRequest, *, now: datetime) -> bool:
    """Count this attempt to sign in and return whether its network had too many this hour."""
    return _count(f"sign-in:{network_of(request)}", now) > ATTEMPTS


def network_of(request: HttpRequest) -> str:
    """Return the /24 (IPv4) or /56 (IPv6) network that a request came from, or "unknown"."""
    found = _visitor(request)
    if found is None:
        return "unknown"
    return str(ip_network(f"{found}/{24 if found.version == 4 else 56}", strict=False))  # noqa: PLR2004  (IP version)


def _visitor(request: HttpRequest) -> Address | None:
    """Return who called, as far as somebody says so who is trusted.

    ``X-Forwarded-For`` is read from the right: each proxy adds at its end who called it, and what
    stands before that is hearsay, unless the one who called is a proxy of ours itself.
    """
    caller = request.META.get("REMOTE_ADDR", "unknown")
    found = _read(caller)
    named: tuple[Network, ...] = settings.EXPUNGE_TRUSTED_PROXIES
    if not named and not settings.SECURE_PROXY_SSL_HEADER:
        return found  # nobody stands in front of a site without https
    # Through a socket in a file, which has no address, only this machine can call.
    trusted = caller == "" or _is_in(found, named or NEAR)
    for entry in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        told = _read(entry) if trusted else None
        if told is None:
            break
        # Without names one proxy is taken for ours: whoever it names may have such an address too.
        found, trusted = told, _is_in(told, named)
    return found


def _is_in(address: Address | None, networks: tuple[Network, ...]) -> bool:
    return address is not None and any(address in one for one in networks)


def _read(text: str) -> Address | None:
    """Return an address, without the port that some proxies add."""
    bare = text.strip()
    if with_port := _WITH_PORT.fullmatch(bare):
        bare = with_port[1] or with_port[2] or ""
    try:
        found = ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found


def _count(what: str, now: datetime) -> int:
    hour = int(now.timestamp()) // HOUR
    key = f"form:{salted_hmac('audits.limiter', f'{hour}:{what}').hexdigest()}"
    count: int = cache.get(key, 0) + 1
    cache.set(key, count, HOUR)
    return count

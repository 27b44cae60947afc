"""Whom a request is counted for, behind proxies and before anybody who says so."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from django.test import RequestFactory

from audits.views.limiter import network_of


def counted(caller: str, forwarded: str | None = None) -> str:
    told = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return network_of(RequestFactory().get("/", headers=told, REMOTE_ADDR=caller))


@pytest.fixture
def https(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    return settings


@pytest.fixture
def named(settings):
    settings.EXPUNGE_TRUSTED_PROXIES = (ip_network("10.0.0.0/24"), ip_network("203.0.113.9"))
    return settings


@pytest.mark.parametrize(
    ("caller", "forwarded", "network"),
    [
        ("127.0.0.1", "203.0.113.9", "203.0.113.0/24"),
        ("172.18.0.1", "203.0.113.9", "203.0.113.0/24"),  # of Compose
        ("::ffff:10.1.0.7", "203.0.113.9", "203.0.113.0/24"),
        ("::1", "2001:db8::1", "2001:db8::/56"),
        ("", "203.0.113.9", "203.0.113.0/24"),  # by a socket in a file
        ("127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113.0/24"),
        ("127.0.0.1", "1.2.3.4, 10.7.0.9", "10.7.0.0/24"),  # a visitor in the house says 1.2.3.4
        ("127.0.0.1", None, "127.0.0.0/24"),
        ("127.0.0.1", "unknown", "127.0.0.0/24"),
        ("198.51.100.7", "1.2.3.4", "198.51.100.0/24"),
        ("2001:db8:1::1", "1.2.3.4", "2001:db8:1::/56"),
        ("somewhere", "1.2.3.4", "unknown"),
        ("", None, "unknown"),
    ],
)
@pytest.mark.usefixtures("https")
def test_without_names_one_proxy_that_is_near_is_believed_and_nobody_else(
    caller, forwarded, network
):
    assert counted(caller, forwarded) == network


@pytest.mark.parametrize(
    ("caller", "forwarded", "network"),
    [
        ("10.0.0.5", "192.0.2.7", "192.0.2.0/24"),
        ("10.0.0.5", "1.2.3.4, 192.0.2.7, 203.0.113.9", "192.0.2.0/24"),  # by two proxies
        ("10.0.0.5", "192.0.2.7, 203.0.113.9, 10.0.0.6", "192.0.2.0/24"),
        ("10.0.0.5", "garbage, 203.0.113.9", "203.0.113.0/24"),
        ("10.0.0.5", "10.0.0.6", "10.0.0.0/24"),
        ("10.0.1.5", "192.0.2.7", "10.0.1.0/24"),
        ("127.0.0.1", "192.0.2.7", "127.0.0.0/24"),
        ("198.51.100.7", "192.0.2.7", "198.51.100.0/24"),
    ],
)
@pytest.mark.usefixtures("named")
def test_over_proxies_that_are_named_it_is_read_on_to_the_visitor(caller, forwarded, network):
    assert counted(caller, forwarded) == network


@pytest.mark.parametrize(
    ("told", "network"),
    [
        ("203.0.113.7:51234", "203.0.113.0/24"),
        ("[2001:db8::7]:51234", "2001:db8::/56"),
        ("[2001:db8::7]", "2001:db8::/56"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("fe80::7%eth0", "fe80::/56"),
        ("203.0.113.7:51234, 10.0.0.6:80", "203.0.113.0/24"),
    ],
)
@pytest.mark.usefixtures("named")
def test_ports_and_zones_are_cut_off(told, network):
    assert counted("10.0.0.5", told) == network


def test_a_site_without_https_has_no_proxy_unless_it_names_one(settings):
    assert counted("127.0.0.1", "1.2.3.4") == "127.0.0.0/24"
    settings.EXPUNGE_TRUSTED_PROXIES = (ip_network("127.0.0.1"),)
    assert counted("127.0.0.1", "1.2.3.4") == "1.2.3.0/24"

"""Where calls may go that leave the machine."""

from __future__ import annotations

import socket
import threading

import pytest

from lineage.core.outgoing import HostNotPublic, pinned, posted, usable


@pytest.fixture
def leads_to(monkeypatch):
    """Let every host have one address."""

    def leading(address):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        found = [(family, socket.SOCK_STREAM, 6, "", (address, 443))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    return leading


@pytest.mark.parametrize(
    "address",
    [
        "64:ff9b::a00:1",  # NAT64 to 10.0.0.1
        "64:ff9b::808:808",  # NAT64 to a public one: by a gateway that nobody checked
        "64:ff9b:1::a00:1",
        "2002:a00:1::",  # 6to4
        "2001:0:a00:1::",  # Teredo
        "::a00:1",  # IPv4-compatible
        "::ffff:a00:1",  # IPv4-mapped
        "::ffff:0:a00:1",
        "2001:db8::1",
        "3fff::1",
        "fe80::1",
        "fec0::1",
        "fc00::1",
        "5f00::1",
        "ff0e::1",
        "::1",
        "::",
        "10.0.0.1",
        "127.0.0.1",
        "169.254.169.254",
        "224.0.0.1",
    ],
)
def test_no_form_of_an_address_that_is_not_public_is_connected_to(leads_to, address):
    leads_to(address)
    with pytest.raises(HostNotPublic, match=r"host\.example has an address that is not public"):
        pinned("https://host.example/", private=())
    assert pinned("https://host.example/", private=["host.example"]).url.host == address


@pytest.mark.parametrize("address", ["93.184.215.14", "2001:4860:4860::8888", "2a00:1450::1"])
def test_a_public_address_is_connected_to_under_the_hosts_name(leads_to, address):
    leads_to(address)
    found = pinned("https://host.example:8443/hook", private=())
    assert (found.url.host, found.url.port) == (address, 8443)
    assert found.headers == {"Host": "host.example:8443"}
    assert found.extensions == {"sni_hostname": "host.example"}


@pytest.mark.parametrize("port", ["0", "99999", "70000000000", "abc"])
def test_a_port_that_cannot_be_one_is_a_sentence(port):
    with pytest.raises(HostNotPublic, match=r"[Pp]ort"):
        usable(f"https://host.example:{port}/")


def test_a_name_that_is_no_international_one_is_a_sentence():
    with pytest.raises(HostNotPublic, match="no valid international name"):
        usable("https://xn--a/")
    assert usable("https://xn--mnchen-3ya.example/").host == "münchen.example"


def test_a_look_up_that_hangs_is_left_behind(monkeypatch):
    answered = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answered.wait(30) and [])
    with pytest.raises(TimeoutError, match=r"host\.example was not found in 0\.05 seconds"):
        posted("https://host.example/", private=(), body=b"", headers={}, seconds=0.05)
    answered.set()

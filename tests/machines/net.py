"""A network of machines on this one: a bridge, and a namespace with one cable for each."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CABLE = "cable"


def impossible() -> str:
    """Return why no machines can be made here; empty where they can."""
    if shutil.which("ip") is None:
        return "the program ip (iproute2) is not installed"
    name = f"expunge-try-{os.getpid()}"
    done = subprocess.run(
        ["ip", "netns", "add", name], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return f"network namespaces are not permitted: {done.stderr.strip()}"
    _ip("netns", "del", name)
    return ""


@dataclass(frozen=True, kw_only=True)
class Net:
    """A network that is up; ``host`` is the address of what all machines share."""

    host: str
    names: tuple[str, ...]

    def inside(self, number: int) -> tuple[str, ...]:
        """Return the words before a command that runs on a machine."""
        return ("ip", "netns", "exec", self.names[number])

    def cut(self, number: int) -> None:
        """Pull the cable of a machine; nobody is told."""
        _ip("-n", self.names[number], "link", "set", CABLE, "down")

    def join(self, number: int) -> None:
        """Put it back."""
        _ip("-n", self.names[number], "link", "set", CABLE, "up")


@contextlib.contextmanager
def network(machines: int) -> Iterator[Net]:
    """Yield a network of so many machines, and take it down."""
    number = os.getpid()
    bridge, part = f"exg{number % 1_000_000}", number % 250 + 1
    names = tuple(f"expunge-{number}-{one}" for one in range(machines))
    net = Net(host=f"10.213.{part}.1", names=names)
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{net.host}/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for one, name in enumerate(names):
            _machine(bridge, f"exv{number % 100_000}x{one}", name, f"10.213.{part}.{one + 2}/24")
        yield net
    finally:
        for name in names:
            _ip("netns", "del", name, check=False)
        _ip("link", "del", bridge, check=False)


def _machine(bridge: str, plug: str, name: str, address: str) -> None:
    _ip("netns", "add", name)
    _ip("link", "add", plug, "type", "veth", "peer", "name", CABLE, "netns", name)
    _ip("link", "set", plug, "master", bridge, "up")
    _ip("-n", name, "addr", "add", address, "dev", CABLE)
    for device in ("lo", CABLE):
        _ip("-n", name, "link", "set", device, "up")


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True)

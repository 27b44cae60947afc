"""Where the platform is and with which key it is asked: arguments, then environment, then a file.

The file is ``expunge/config.toml`` in the folder of settings ($XDG_CONFIG_HOME or ~/.config):

    url = "https://expunge.example.org"
    api_key = "expunge_..."

Only its owner may be able to read it.
"""

from __future__ import annotations

import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from expunge.addresses import INSECURE, NotConfigured, checked_key, checked_url

if TYPE_CHECKING:
    from collections.abc import Mapping

URL, KEY, FILE = "EXPUNGE_URL", "EXPUNGE_API_KEY", "EXPUNGE_CONFIG"
_KNOWN = frozenset({"url", "api_key"})
_FOR_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """A platform's address, without a slash at its end, and a key of it; neither is empty."""

    url: str
    api_key: str = field(repr=False)


def configured(
    url: str, api_key: str, environ: Mapping[str, str], *, insecure: bool = False
) -> Configuration:
    """Return what holds; each value is looked for by itself.

    Raises:
        NotConfigured: one is given nowhere, one cannot be used (http to another machine, which
            only ``insecure`` or EXPUNGE_INSECURE=1 allows), or the file cannot be.
    """
    url, api_key = url or environ.get(URL, ""), api_key or environ.get(KEY, "")
    if not (url and api_key):
        written = read_file(place(environ), asked=bool(environ.get(FILE)))
        url, api_key = url or written.get("url", ""), api_key or written.get("api_key", "")
    for what, value, name in (("address", url, URL), ("API key", api_key, KEY)):
        if not value:
            raise NotConfigured(
                f"The {what} of the platform is not known: set {name}, or write it into "
                f"{place(environ)}."
            )
    insecure = insecure or environ.get(INSECURE) == "1"
    return Configuration(
        url=checked_url(url.strip(), insecure=insecure), api_key=checked_key(api_key.strip())
    )


def place(environ: Mapping[str, str]) -> Path:
    """Return where the file lies, or would lie."""
    if environ.get(FILE):
        return Path(environ[FILE]).expanduser()
    home = (
        environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME", "~")).expanduser() / ".config"
    )
    return Path(home) / "expunge" / "config.toml"


def read_file(path: Path, *, asked: bool) -> dict[str, str]:
    """Return what a file says; nothing where there is none and none was ``asked`` for.

    Raises:
        NotConfigured: others may read it, it is no TOML, or it says something unknown.
    """
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if asked:
            raise NotConfigured(f"There is no file {path}, which {FILE} names.") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise NotConfigured(f"{path} cannot be read: {type(error).__name__}.") from None
    if mode & _FOR_OTHERS:
        raise NotConfigured(
            f"{path} may be read or written by others (mode {mode & 0o777:o}), and it is for a "
            f"key. Run: chmod 600 {path}"
        )
    return _values(path, text)


def _values(path: Path, text: str) -> dict[str, str]:
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotConfigured(f"{path} is not TOML: {error}.") from None
    for name, value in told.items():
        if name not in _KNOWN or not isinstance(value, str):
            raise NotConfigured(
                f"{path} has {name!r}; allowed are {' and '.join(sorted(_KNOWN))}, both texts."
            )
    return told

"""The settings of a place: declared on its dataclass, checked in sentences.

``table: Annotated[str, Setting("name of the table", pattern=NAME)]`` serves the check, the form
and the documentation at once.
"""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, get_type_hints
from urllib.parse import urlsplit

from lineage.core.worded import worded, worded_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lineage.core.places import Place

NAME = r"[A-Za-z_][A-Za-z0-9_]{0,62}"
# Only variables of this name are read, so that a page cannot ask for any other secret.
SECRET = r"EXPUNGE_PLACE_[A-Z0-9_]{1,64}"  # noqa: S105  (a name, no secret)
SECRET_WORDS = "the name of an environment variable that begins with EXPUNGE_PLACE_"  # noqa: S105

# Stores that can be erased from. Others fetch pages of the web, run over files inside of files or
# are chained with "::", and would lead whoever keeps the register into the own network.
STORE = r"(?!.*::)(?:(?:abfss?|az|file|gcs|gs|local|memory|oss|s3a?)://|(?![\w+.-]*:))"
STORE_WORDS = "a path or one of file://, s3://, gs://, az://, abfs:// or oss://"


class SettingRefused(ValueError):
    """A setting of a place is wrong; the sentence names field, value and what is allowed."""


@dataclass(frozen=True)
class Setting:
    """What a setting is for, and what it may be.

    Text is a whole match of ``pattern``, which ``allowed`` says in words; of a whole number
    ``low`` and ``high`` are the ends.
    """

    help: str
    pattern: str = r".{1,1000}"
    allowed: str = "text of 1 to 1000 characters"
    low: int = 0
    high: int = 0


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One setting of a kind of place."""

    name: str
    kind: type[str] | type[int] | type[tuple[str, ...]]
    setting: Setting
    needed: bool
    default: object = None

    def checked(self, value: object) -> object:
        """Return the value as the dataclass takes it. Raises SettingRefused."""
        if self.kind is int:
            return self._whole(value)
        if self.kind is str:
            return self._text(value)
        listed = list(value) if isinstance(value, list | tuple) else value
        if not isinstance(listed, list):
            raise SettingRefused(
                worded_of(
                    self.name, "It is %(value)s; allowed is a list of texts.", value=repr(value)
                )
            )
        return tuple(self._text(one) for one in listed)

    def _whole(self, value: object) -> int:
        setting = self.setting
        if type(value) is not int or not setting.low <= value <= setting.high:
            raise SettingRefused(
                worded_of(
                    self.name,
                    "It is %(value)s; allowed is a whole number from %(low)s to %(high)s.",
                    value=repr(value),
                    low=setting.low,
                    high=setting.high,
                )
            )
        return value

    def _text(self, value: object) -> str:
        if isinstance(value, str) and _has_password(value):  # the value is not repeated
            raise SettingRefused(
                worded_of(
                    self.name,
                    "It holds a user name or a password; allowed is an address without. Put "
                    "secrets into %(allowed)s.",
                    allowed=worded(SECRET_WORDS),
                )
            )
        if not isinstance(value, str) or not re.fullmatch(self.setting.pattern, value):
            raise SettingRefused(
                worded_of(
                    self.name,
                    "It is %(value)s; allowed is %(allowed)s.",
                    value=repr(value),
                    allowed=worded(self.setting.allowed),
                )
            )
        return value


def declared(kind: type[Place]) -> Iterator[Declared]:
    """Yield the settings of a kind of place, in the order they are declared."""
    hints = get_type_hints(kind, include_extras=True)
    for one in fields(kind):  # type: ignore[arg-type]  # every kind is a dataclass
        hint = hints[one.name]
        (setting,) = (each for each in hint.__metadata__ if isinstance(each, Setting))
        plain: Any = hint.__origin__
        yield Declared(
            name=one.name,
            kind=plain if plain in (str, int) else tuple,
            setting=setting,
            needed=one.default is MISSING,
            default=None if one.default is MISSING else one.default,
        )


def configured(kind: type[Place], settings: Mapping[str, object]) -> Place:
    """Return a place with these settings.

    Raises:
        SettingRefused: one is missing, unknown or wrong.
    """
    known = {one.name: one for one in declared(kind)}
    for name, value in settings.items():
        if name not in known:
            raise SettingRefused(
                worded_of(
                    name,
                    "It is %(value)s; allowed are only %(allowed)s.",
                    value=repr(value),
                    allowed=", ".join(known),
                )
            )
    for name, one in known.items():
        if one.needed and settings.get(name) in (None, ""):
            raise SettingRefused(
                worded_of(
                    name,
                    "It is missing; allowed is %(allowed)s.",
                    allowed=worded(one.setting.allowed),
                )
            )
    given = {name: known[name].checked(value) for name, value in settings.items()}
    return kind(**given)


def _has_password(value: str) -> bool:
    try:
        return "@" in urlsplit(value).netloc
    except ValueError:
        return True

"""Columns that only the key of their case opens: once it is destroyed, they say nothing.

A ``SealedText`` or ``SealedList`` reads and writes plain values on an instance; the column holds
sealed bytes (``audits/core/sealing.py``), or none for an empty value. The primary key of the row
is the id of the case. So the only filter that such a column has is whether it is empty.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.core.exceptions import FieldError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from audits.core import sealing
from lineage import keys

if TYPE_CHECKING:
    from uuid import UUID

GONE = "The key of this case was destroyed: nobody can read the text any more."


class NotReadable(Exception):
    """A sealed text cannot be read; the sentence says why."""


class IdentityDestroyed(NotReadable):
    """The key of the case was destroyed, as it was meant to be."""


def key_name(case_id: UUID) -> str:
    """Return the name that the key of a case has in the key store."""
    return f"case:{case_id}"


def seal(case_id: UUID, of: str, content: bytes) -> bytes:
    """Return bytes that only the key of the case opens again. Raises KeyDestroyed."""
    # A case of before its key, or of a test, gets one: a text is never kept in the clear.
    secret = keys.get_or_create(key_name(case_id))
    return sealing.seal(secret, case=str(case_id), field=of, content=content)


def unseal(case_id: UUID, of: str, sealed: bytes) -> bytes:
    """Return what was sealed for the case under this name.

    Raises:
        IdentityDestroyed: the key of the case is destroyed.
        NotReadable: nothing is kept, there is no such key, or the bytes were altered.
    """
    if not sealed:
        raise NotReadable("The text is not kept.")
    try:
        secret = keys.get(key_name(case_id))
        return sealing.unseal(secret, case=str(case_id), field=of, sealed=sealed)
    except keys.KeyDestroyed:
        raise IdentityDestroyed(GONE) from None
    except (keys.KeyMissing, sealing.Altered) as error:
        raise NotReadable(str(error.args[0])) from None


class _Opened(DeferredAttribute):
    """Opens the stored bytes when they are first read, and keeps the plain value."""

    field: SealedText

    def __get__(self, instance: Any, cls: Any = None) -> Any:  # noqa: ANN401  (Django's signature)
        if instance is None:
            return self
        value = instance.__dict__.get(self.field.attname)
        if value is None:
            value = super().__get__(instance, cls)  # a column that was left out of the query
        if isinstance(value, bytes | memoryview):
            value = self.field.opened(instance, bytes(value))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: object) -> None:  # noqa: ANN401  (any model)
        # There must be one, or what the instance holds would be read past __get__.
        instance.__dict__[self.field.attname] = value


class SealedText(models.BinaryField):  # type: ignore[type-arg]  # the value is a str
    """A text that is sealed with the key of its case; empty when that key is destroyed."""

    descriptor_class = _Opened
    empty: Any = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  (Django's signature)
        kwargs.setdefault("default", bytes)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    def opened(self, instance: models.Model, stored: bytes) -> Any:  # noqa: ANN401  (str or list)
        """Return the plain value of what is stored. Raises NotReadable if it was altered."""
        if not stored:
            return self.plain(b"")
        try:
            return self.plain(unseal(instance.pk, sealed_name(self), stored))
        except IdentityDestroyed:
            return self.plain(b"")

    def plain(self, content: bytes) -> Any:  # noqa: ANN401  (as above)
        """Return the value that was made into these bytes."""
        return content.decode()

    def content(self, value: Any) -> bytes:  # noqa: ANN401  (as above)
        """Return the bytes of a value that is not empty."""
        return str(value).encode()

    def pre_save(self, model_instance: models.Model, add: bool) -> bytes:  # noqa: ARG002, FBT001  (Django's signature)
        """Return what the column is to hold."""
        value = getattr(model_instance, self.attname)
        if not value:
            return b""
        return seal(model_instance.pk, sealed_name(self), self.content(value))

    def get_prep_value(self, value: Any) -> Any:  # noqa: ANN401  (Django's signature)
        """Let sealed bytes and empty values through; nothing else can be written or sought."""
        if isinstance(value, bytes | memoryview):
            return value
        if not value:
            return b""
        raise FieldError(
            f"{self.name} is sealed with the key of its case: set it on the instance and save "
            "that, and filter by whether it is empty only."
        )


class SealedList(SealedText):
    """A list of JSON values that is sealed with the key of its case."""

    def plain(self, content: bytes) -> Any:  # noqa: ANN401  (as above)
        """Return the list; an empty one for no bytes."""
        return json.loads(content) if content else []

    def content(self, value: Any) -> bytes:  # noqa: ANN401  (as above)
        """Return the list as JSON."""
        return json.dumps(value).encode()


def sealed_name(field: models.Field[Any, Any]) -> str:
    """Return under which name a column is sealed: ``model.column``."""
    return f"{field.model.__name__.lower()}.{field.attname}"

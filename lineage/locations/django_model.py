"""Rows of a Django model of this installation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models import ProtectedError, Q, RestrictedError

from lineage.core.place_settings import NAME, Setting, SettingRefused
from lineage.core.places import Erased, Found, LocationNotReachable, Person, Place
from lineage.core.worded import worded, worded_of

OURS = ("lineage", "unlearning", "audits")
FIELD_NAME = Setting("a field", pattern=NAME, allowed="the name of a field")


@dataclass(frozen=True, kw_only=True)
class DjangoModel(Place):
    """Rows whose ``field`` is an identifier; deleted with what depends on them, or masked.

    The model must belong to another application than Expunge's own, which closes its records with
    the case. The base manager is asked, so that a manager of the model's hides nothing.
    """

    title: ClassVar[str] = "Rows of a Django model"

    model: Annotated[
        str,
        Setting(
            "the model, as application.Model",
            pattern=rf"{NAME}\.{NAME}",
            allowed="application.Model of an installed application",
        ),
    ]
    field: Annotated[
        str, Setting("the field that names the person", pattern=NAME, allowed="a field's name")
    ]
    mask: Annotated[tuple[str, ...], FIELD_NAME] = ()

    def __post_init__(self) -> None:
        if self._described().app_label in OURS:
            raise SettingRefused(
                worded_of(
                    "model",
                    "It is %(model)s; allowed are models of other applications than "
                    "%(allowed)s, whose rows the case itself erases.",
                    model=repr(self.model),
                    allowed=", ".join(OURS),
                )
            )
        for name in (self.field, *self.mask):
            try:
                self._described().get_field(name)
            except FieldDoesNotExist:
                known = ", ".join(one.name for one in self._described().concrete_fields)
                raise SettingRefused(
                    worded_of(
                        "field",
                        "It is %(name)s, which %(model)s has not; allowed are %(known)s.",
                        name=repr(name),
                        model=self.model,
                        known=known,
                    )
                ) from None
        if self.mask and self.field not in self.mask:
            raise SettingRefused(
                worded_of(
                    "mask",
                    "It is %(mask)s; allowed are lists that hold %(field)s, by which the row"
                    " would still name the person.",
                    mask=", ".join(self.mask),
                    field=repr(self.field),
                )
            )

    def _model(self) -> Any:  # noqa: ANN401  (a model class)
        try:
            return apps.get_model(self.model)
        except LookupError:
            raise SettingRefused(
                worded_of(
                    "model",
                    "It is %(model)s; allowed is application.Model of an installed application.",
                    model=repr(self.model),
                )
            ) from None

    def _described(self) -> Any:  # noqa: ANN401  (the options of a model)
        return self._model()._meta  # noqa: SLF001  (public in Django)

    def _all(self) -> Any:  # noqa: ANN401  (a manager)
        return self._model()._base_manager  # noqa: SLF001  (public in Django)

    def _rows(self, person: Person) -> Any:  # noqa: ANN401  (a queryset)
        named = Q()
        for one in person.identifiers:
            named |= Q(**{f"{self.field}__iexact": one})
        return self._all().filter(named) if named else self._all().none()

    def _find(self, person: Person) -> Found:
        return Found(count=self._rows(person).count())

    def _erase(self, person: Person) -> Erased:
        rows = self._rows(person)
        try:
            with transaction.atomic():
                count: int = rows.count()
                if self.mask:
                    rows.update(**{name: self._blank(name) for name in self.mask})
                else:
                    rows.delete()
        except (ProtectedError, RestrictedError) as error:
            kinds = ", ".join(sorted({type(row).__name__ for row in _keeping(error)}))
            raise LocationNotReachable(
                worded(
                    "Rows of %(model)s cannot be deleted while rows of %(kinds)s refer to them.",
                    model=self.model,
                    kinds=kinds,
                )
            ) from None
        return Erased(count=count, how=self.how)

    def _blank(self, name: str) -> object:
        if self._described().get_field(name).null:
            return None
        return f"masked-{secrets.token_hex(8)}"

    def _reach(self) -> str:
        return f"{self.model} holds {self._all().count()} rows."


def _keeping(error: ProtectedError | RestrictedError) -> Any:  # noqa: ANN401  (rows)
    return (
        error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
    )

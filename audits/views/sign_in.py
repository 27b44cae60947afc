"""The form with which members of staff sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.forms import AuthenticationForm

from audits.forms import PlainErrors
from audits.views.problems import problems

if TYPE_CHECKING:
    from audits.views.problems import Problems


class SignInForm(PlainErrors, AuthenticationForm):
    """A user name and a password."""

    @property
    def problems(self) -> Problems:
        """What is wrong, with a link to where it is."""
        return problems(self)

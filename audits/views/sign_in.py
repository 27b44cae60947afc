"""How members of staff sign in: a password, and what they type of a second factor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.utils import timezone
from django.utils.translation import gettext as _

from audits.forms import PlainErrors
from audits.queries.sign_in import is_locked
from audits.services.sign_in import note_failure
from audits.views.limiter import too_many_attempts
from audits.views.problems import problems
from audits.views.proving import note_wrong_proof
from audits.views.vouching import vouching

if TYPE_CHECKING:
    from django.http import HttpResponse

    from audits.views.problems import Problems


class SignInForm(PlainErrors, AuthenticationForm):
    """A user name and a password.

    Whether there is an account, it is locked, or the password is wrong: the answer is the same.
    """

    def clean(self) -> dict[str, Any]:
        """Count failures, and let nobody into a locked account."""
        now = timezone.now()
        if self.request and too_many_attempts(self.request, now=now):
            raise forms.ValidationError(_too_many())
        name = self.cleaned_data.get("username", "")  # as the account is looked up by it
        member = User.objects.filter(username=name, is_staff=True).first()
        locked = member is not None and is_locked(member, now)
        try:
            given: dict[str, Any] = super().clean()
        except forms.ValidationError:
            if member is not None and not locked:
                note_failure(member, now=now)
            raise
        if locked:  # asked after the password, so that it takes as long
            raise self.get_invalid_login_error()
        return given

    def get_invalid_login_error(self) -> forms.ValidationError:
        """Say what may be wrong, without saying which."""
        return forms.ValidationError(
            _(
                "The user name and the password do not belong together, or the account is locked "
                "after too many attempts. An administrator can unlock it."
            ),
            code="invalid_login",
        )

    @property
    def problems(self) -> Problems:
        """What is wrong, with a link to where it is."""
        return problems(self)


class SignIn(LoginView):
    """Ask for a password, then for the second factor where the account has one."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Go on to what else the account asks for."""
        user = form.get_user()
        login = Login(user=user, redirect_url=self.get_success_url())
        given = {"username": user.get_username()}
        response: HttpResponse = perform_password_login(self.request, given, login)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:  # noqa: ANN401
        """Name whoever vouches for staff."""
        return super().get_context_data(**kwargs, vouching=vouching())


class _Counted:
    """A code of a second factor, of which wrong ones are counted."""

    user: User

    def count(self) -> None:
        """Count a wrong code."""
        raise NotImplementedError

    def clean_code(self) -> str:
        """Count wrong codes."""
        try:
            code: str = super().clean_code()  # type: ignore[misc]  # of the form beside it
        except forms.ValidationError as error:
            if error.code == "too_many_login_attempts":  # which was not looked at
                raise forms.ValidationError(_too_many()) from error
            self.count()
            raise forms.ValidationError(
                _("This is not the code of this moment, nor an unused recovery code.")
            ) from error
        return code

    @property
    def problems(self) -> Problems:
        """What is wrong, with a link to where it is."""
        return problems(self)  # type: ignore[arg-type]  # of the form beside it


class SecondFactorForm(_Counted, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """A code, while somebody signs in: wrong ones count like wrong passwords."""

    def clean_code(self) -> str:
        """Refuse every code of a locked account."""
        if is_locked(self.user, timezone.now()):
            raise forms.ValidationError(_too_many())
        return super().clean_code()

    def count(self) -> None:
        """Count towards the lock of the account."""
        note_failure(self.user, now=timezone.now())


class SecondFactorAgainForm(_Counted, ReauthenticateForm):  # type: ignore[misc]  # as above
    """A code, from somebody who is signed in, whom the lock of the account does not stop."""

    def count(self) -> None:
        """Count towards the end of the session."""
        note_wrong_proof(context.request)


def _too_many() -> str:
    return _("There were too many attempts. Wait a while, or ask an administrator.")

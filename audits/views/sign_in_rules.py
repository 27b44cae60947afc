"""What django-allauth may do here: no sign-up, no mail, secrets under our key, known staff."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse, ReauthenticationRequired
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from cryptography.fernet import Fernet
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from requests import RequestException

from audits.queries.sign_in import is_stale
from audits.services.sign_in import forget_claims, link, subject_at
from audits.views.access import page
from audits.views.limiter import network_of
from audits.views.proving import note_wrong_proof
from audits.views.vouching import not_answered, vouching
from lineage import keys

if TYPE_CHECKING:
    from allauth.account.models import EmailAddress
    from allauth.socialaccount.models import SocialLogin
    from django.http import HttpRequest


class StaffAccounts(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts are made by administrators and at the shell."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  (its signature)
        """Nobody makes an account of their own."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the network that is counted, as our proxy tells it."""
        return network_of(request).partition("/")[0]

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:  # noqa: ANN401, ARG002
        """Ask again by our own clock, which the sign-in itself sets too.

        Raises:
            ReauthenticationRequired: it is time. Left to allauth, nobody would be asked whose
                account has neither a password nor a second factor.
        """
        if is_stale(self.request.session, timezone.now()):
            raise ReauthenticationRequired
        return False

    def get_reauthentication_methods(self, user: User) -> list[dict[str, str]]:
        """Offer what the account has, and the service that vouches for its member."""
        found: list[dict[str, str]] = super().get_reauthentication_methods(user)
        service = vouching()
        if service and SocialAccount.objects.filter(user=user.pk).exists():
            said = gettext("Through %(name)s") % service
            found.append({"id": "vouched", "description": said, "url": reverse("again_elsewhere")})
        return found

    def reauthenticate(self, user: User, password: str) -> bool:
        """Return whether a password is right; wrong ones count, and may end the session.

        The lock of the account does not count here: anybody can close it.
        """
        right = user.check_password(password)
        if not right:
            note_wrong_proof(self.request)
        return right

    def add_message(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Say only what a view says itself, such as that a passkey was not accepted."""
        if kwargs.get("message"):
            super().add_message(*args, **kwargs)

    def send_notification_mail(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401
        """Send nothing: what was changed stands in the log."""


class SecondFactors(DefaultMFAAdapter):  # type: ignore[misc]  # allauth has no types
    """Secrets of authenticator apps lie encrypted: the key is not in the database."""

    def encrypt(self, text: str) -> str:
        """Return a secret as it is kept."""
        return _box().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a secret that was kept."""
        return _box().decrypt(encrypted_text.encode()).decode()

    def get_totp_label(self, user: User) -> str:
        """Name the account in an app by its user name, not by the e-mail address."""
        return str(user.get_username())


class VouchedStaff(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """A service vouches for people; who of them is staff, and may do what, is said here."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:  # noqa: ARG002
        """Nobody makes an account by signing in elsewhere."""
        return False

    def on_authentication_error(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401, ARG002
        """Tell a service that is away from one that refuses.

        Raises:
            ImmediateHttpResponse: it is away.
        """
        if isinstance(error := kwargs.get("exception"), RequestException):
            raise ImmediateHttpResponse(not_answered(request, error))

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> User:  # noqa: ANN401
        """Name whoever is vouched for by the service as well: two may use one ``sub``."""
        issuer = sociallogin.provider.app.settings["server_url"]
        account = sociallogin.account
        account.uid = subject_at(issuer, account.uid)
        user: User = super().populate_user(request, sociallogin, data)
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Let in whom an administrator gave an account with the address that the service verified.

        Whoever was linked before is known by the name that the service gave them for good.
        """
        member = sociallogin.user if sociallogin.is_existing else None
        if member is None:
            address = next(
                (one.email for one in sociallogin.email_addresses if _verified(one)), ""
            )
            member = address and link(
                email=address,
                provider=sociallogin.account.provider,
                subject=sociallogin.account.uid,
                now=timezone.now(),
            )
            if member:
                sociallogin.lookup()
        signed_in = request.user if isinstance(request.user, User) else member
        if not member or not (member.is_active and member.is_staff) or signed_in != member:
            raise ImmediateHttpResponse(page(request, "account/not_vouched.html", {}, status=403))
        forget_claims(member)


def _verified(address: EmailAddress) -> bool:
    """Return whether the service says so; some say it in words, of which "false" is one."""
    return address.verified is True or address.verified == "true"


def _box() -> Fernet:
    return Fernet(urlsafe_b64encode(keys.get_or_create("sign-in")[:32]))

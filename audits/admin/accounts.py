"""Accounts of staff in the admin, for administrators; roles come from the code and are to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.utils import timezone
from unfold.admin import ModelAdmin
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from audits.core.roles import ROLES, Right
from audits.queries.sign_in import is_stale
from audits.services import role_log, sign_in
from audits.services.accounts import AccountRefused, check_address, check_change
from audits.services.rights import has_right
from lineage.admin import ReadOnlyAdmin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import ManyToManyField, Model, QuerySet
    from django.forms import ModelMultipleChoiceField
    from django.http import HttpRequest, HttpResponse

for table in (User, Group, EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken):
    admin.site.unregister(table)


def _administers(request: HttpRequest) -> bool:
    return isinstance(request.user, User) and has_right(request.user, Right.ADMINISTER)


def _by(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _prove(request: HttpRequest) -> None:
    if request.method == "POST" and is_stale(request.session, timezone.now()):
        raise ReauthenticationRequired


class AccountForm(UserChangeForm):  # type: ignore[misc]  # unfold has no types
    """An account; who changes it is set by ``AccountAdmin.get_form``."""

    by: User

    def clean(self) -> dict[str, Any]:
        """Refuse what ``check_change`` refuses."""
        given: dict[str, Any] = super().clean()
        before = User.objects.get(pk=self.instance.pk)
        try:
            check_change(by=self.by, account=before, changed=self.changed_data)
            check_address(account=_account_of(given, pk=before.pk))
        except AccountRefused as error:
            self.add_error(None, str(error))
        return given


class NewAccountForm(UserCreationForm):  # type: ignore[misc]  # unfold has no types
    """A new account."""

    def clean(self) -> dict[str, Any]:
        """Refuse what ``check_address`` refuses."""
        given: dict[str, Any] = super().clean()
        try:
            check_address(account=_account_of({"is_active": True, **given}))
        except AccountRefused as error:
            self.add_error("email", str(error))
        return given


def _account_of(given: Mapping[str, Any], pk: int | None = None) -> User:
    """Return an account as a form would save it, as far as the address matters."""
    names = ("email", "is_staff", "is_active")
    return User(pk=pk, **{name: given[name] for name in names if name in given})


@admin.register(User)
class AccountAdmin(UserAdmin, ModelAdmin):  # type: ignore[misc, type-arg]  # unfold has no types
    """Accounts: make one, give it roles, close it. None is deleted, as decisions name them."""

    form, add_form = AccountForm, NewAccountForm
    change_password_form = AdminPasswordChangeForm
    actions = ("unlock", "take_factors")
    list_display = ("username", "email", "roles", "is_active", "is_superuser", "last_login")
    list_filter = ("groups", "is_active", "is_superuser")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Roles", {"fields": ("groups", "is_staff", "is_active", "is_superuser")}),
    )
    add_fieldsets = (
        (None, {"fields": ("username", "email", "password1", "password2", "is_staff", "groups")}),
    )

    @admin.display(description="Roles")
    def roles(self, account: User) -> str:
        """Return the names of the roles."""
        return ", ".join(sorted(group.name for group in account.groups.all()))

    @admin.action(description="Unlock after too many wrong passwords or codes")
    def unlock(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Let members try again who were locked out."""
        by, now = _by(request), timezone.now()
        opened = sum(sign_in.unlock(one, now=now, by=by) for one in chosen)
        messages.info(request, f"{opened} of {len(chosen)} accounts were locked, and are open.")

    @admin.action(description="Take the second factors of somebody who lost theirs")
    def take_factors(self, request: HttpRequest, chosen: QuerySet[User]) -> None:
        """Let members in with their password alone, once; nobody does so for themselves."""
        by, now = _by(request), timezone.now()
        allowed = [one for one in chosen if self.has_change_permission(request, one) and one != by]
        taken = sum(sign_in.take_factors(one, now=now, by=by) for one in allowed)
        messages.info(request, f"{taken} factors of {len(allowed)} accounts were taken.")

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,  # noqa: FBT001, FBT002  (Django's signature)
        **kwargs: Any,  # noqa: ANN401
    ) -> Any:  # noqa: ANN401
        """Tell the form, which is made for this request, who asks."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if isinstance(request.user, User):
            form.by = request.user  # type: ignore[attr-defined]
        return form

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask who changes an account to prove it again, after a while."""
        _prove(request)
        response: HttpResponse = super().changeform_view(
            request, object_id, form_url, extra_context
        )
        return response

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Ask so for what is done to several accounts, too."""
        _prove(request)
        response: HttpResponse = super().changelist_view(request, extra_context)
        return response

    def save_model(
        self,
        request: HttpRequest,
        obj: User,
        form: Any,  # noqa: ANN401
        change: bool,  # noqa: FBT001  (Django's signature)
    ) -> None:
        """Save the account, knowing what it held before."""
        form.held_before = role_log.held(obj.pk)
        super().save_model(request, obj, form, change)

    def save_related(
        self,
        request: HttpRequest,
        form: Any,  # noqa: ANN401
        formsets: Any,  # noqa: ANN401
        change: bool,  # noqa: FBT001  (Django's signature)
    ) -> None:
        """Save the roles, and tell the log what changed; all in the transaction of the page."""
        super().save_related(request, form, formsets, change)
        role_log.note(form.instance, form.held_before, now=timezone.now(), by=_by(request))

    @transaction.atomic
    def user_change_password(
        self,
        request: HttpRequest,
        id: str,  # noqa: A002  (Django's signature)
        form_url: str = "",
    ) -> HttpResponse:
        """Set a password; that it was set, and by whom, is told to the log."""
        _prove(request)
        asked = [int(id)] if id.isdecimal() else []
        passwords = User.objects.filter(pk__in=asked).values_list("password", flat=True)
        before = passwords.first()
        response: HttpResponse = super().user_change_password(request, id, form_url)
        if before is not None and passwords.first() != before and isinstance(request.user, User):
            member = User.objects.get(pk=id)
            role_log.note_password(member, by=request.user, now=timezone.now())
        return response

    def get_readonly_fields(
        self, request: HttpRequest, obj: User | None = None
    ) -> tuple[str, ...]:
        """Leave superusers to superusers."""
        superuser = isinstance(request.user, User) and request.user.is_superuser
        return () if superuser or obj is None else ("is_superuser",)

    def formfield_for_manytomany(
        self,
        db_field: ManyToManyField[Any, Any],
        request: HttpRequest,
        **kwargs: Any,  # noqa: ANN401
    ) -> ModelMultipleChoiceField[Any] | None:
        """Offer the roles."""
        if db_field.name == "groups":
            kwargs["queryset"] = Group.objects.filter(name__in=ROLES)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show accounts to administrators."""
        return _administers(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002  (Django's signature)
        """Show accounts to administrators."""
        return _administers(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let administrators make accounts."""
        return _administers(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let administrators change accounts, and those of superusers only superusers."""
        guarded = isinstance(obj, User) and obj.is_superuser
        by = request.user
        return _administers(request) and (
            not guarded or (isinstance(by, User) and by.is_superuser)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002  (Django's signature)
        """Nobody deletes accounts: they are closed."""
        return False


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """The roles and their rights, to read: they are fixed in the code."""

    list_display = ("name",)
    fields = ("name", "rights")
    readonly_fields = fields

    @admin.display(description="Rights")
    def rights(self, role: Group) -> str:
        """Return what the role allows, in words."""
        return "; ".join(right.words for right in ROLES.get(role.name, ()))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Show roles to administrators."""
        return _administers(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002  (Django's signature)
        """Show roles to administrators."""
        return _administers(request)

"""Accounts of staff: who makes them, who changes which, at the shell and in the admin."""

from __future__ import annotations

import json
from io import StringIO

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from audits.models import LogLeaf
from audits.services import accounts
from audits.services.accounts import AccountRefused
from audits.services.actors import actor_of, staff_pseudonym
from audits.services.rights import make_roles
from tests.audits.world import member

pytestmark = pytest.mark.django_db

ROLES_OF = {"groups", "is_superuser", "is_staff", "is_active", "email"}


def staff(*arguments: str) -> str:
    out = StringIO()
    call_command("staff", *arguments, stdout=out)
    return out.getvalue()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def roles(name: str) -> set[str]:
    return set(User.objects.get(username=name).groups.values_list("name", flat=True))


@pytest.fixture(autouse=True)
def static(settings, tmp_path):
    settings.STATIC_ROOT = tmp_path


@pytest.fixture
def admin() -> User:
    return member("admin", "Administrator")


def posted(account: User, **changed: object) -> dict[str, object]:
    """What the form of an account posts, changed."""
    kept = {
        "username": account.username,
        "email": account.email,
        "groups": [str(pk) for pk in account.groups.values_list("pk", flat=True)],
        **{name: "on" for name in ("is_staff", "is_active") if getattr(account, name)},
    }
    return {name: value for name, value in {**kept, **changed}.items() if value is not None}


def change(by: User, account: User, **changed: object):
    at = f"/admin/auth/user/{account.pk}/change/"
    return signed_in(by).post(at, posted(account, **changed))


def group(name: str) -> list[str]:
    return [str(Group.objects.get(name=name).pk)]


def test_a_password_is_shown_once_and_works():
    told = json.loads(
        staff("add", "ann", "--role", "case officer", "--email", "a@example.org", "--json")
    )
    assert User.objects.get(username="ann").check_password(told["password"])
    assert (told["roles"], told["email"]) == (["Case officer"], "a@example.org")
    again = json.loads(staff("add", "ann", "--role", "Model operator", "--json"))
    assert "password" not in again
    assert again["roles"] == ["Case officer", "Model operator"]
    assert "assword" not in staff("list")


def test_a_role_is_taken_and_an_account_closed_with_its_sessions():
    staff("add", "ann", "--role", "Reviewer", "--role", "Intake")
    client = signed_in(User.objects.get(username="ann"))
    assert client.get("/cases/").status_code == 200
    assert staff("remove-role", "ann", "--role", "Intake") == "ann: Reviewer\n"
    assert client.get("/cases/").status_code == 302
    client.force_login(User.objects.get(username="ann"))
    assert client.get("/cases/").status_code == 200
    assert staff("close", "ann") == "ann (closed): no role\n"
    assert client.get("/cases/").status_code == 302
    with pytest.raises(CommandError, match="'ann' is closed"):
        staff("add", "ann", "--role", "Reviewer")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["add", "ann", "--role", "King"], "role is 'King'; allowed are Intake, Case officer"),
        (["add", "a b", "--role", "Intake"], "Enter a valid username"),
        (["add", "ann", "--role", "Intake", "--email", "ann"], "Enter a valid email"),
        (["close", "nobody"], "no account of staff 'nobody'"),
        (["remove-role", "nobody", "--role", "Intake"], "no account of staff 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_made(arguments, sentence):
    with pytest.raises(CommandError, match=sentence):
        staff(*arguments)
    assert not User.objects.exists()


def test_an_account_of_somebody_else_than_staff_gets_no_role():
    User.objects.create_user("visitor")
    with pytest.raises(CommandError, match="closed or not one of staff"):
        staff("add", "visitor", "--role", "Reviewer")
    assert not roles("visitor")


@pytest.mark.parametrize("field", sorted(ROLES_OF))
def test_L22_nobody_changes_what_their_own_rights_come_from(admin, field):
    for by in (admin, User.objects.create_superuser("root")):
        with pytest.raises(AccountRefused, match="their own roles"):
            accounts.check_change(by=by, account=by, changed={field})
    accounts.check_change(by=admin, account=admin, changed={"first_name"})


def test_L22_an_administrator_gives_roles_to_others_and_none_to_themselves(admin):
    ann = member("ann", "Intake")
    assert change(admin, ann, groups=group("Reviewer")).status_code == 302
    assert roles("ann") == {"Reviewer"}
    refused = change(admin, admin, groups=group("Reviewer"))
    assert "Nobody changes their own roles" in refused.content.decode()
    refused = change(admin, admin, email="somebody.else@example.org")
    assert "Nobody changes their own roles" in refused.content.decode()
    assert roles("admin") == {"Administrator"}
    assert User.objects.get(username="admin").email == ""
    assert change(admin, admin, first_name="Ada").status_code == 302


def test_L22_nobody_makes_themselves_a_superuser(admin):
    change(admin, admin, is_superuser="on")  # the field is not in the form
    change(admin, member("ann", "Intake"), is_superuser="on")
    assert not User.objects.filter(is_superuser=True).exists()
    with pytest.raises(AccountRefused, match="Only a superuser"):
        accounts.check_change(by=admin, account=member("ann", "Intake"), changed={"is_superuser"})


def test_L22_the_account_of_a_superuser_is_changed_by_superusers_only(admin):
    root, other = (User.objects.create_superuser(name) for name in ("root", "other"))
    assert change(admin, root, email="mine@example.org").status_code == 403
    password = f"/admin/auth/user/{root.pk}/password/"
    assert signed_in(admin).get(password).status_code == 403
    with pytest.raises(AccountRefused, match="Only a superuser"):
        accounts.check_change(by=admin, account=root, changed={"groups"})
    assert change(other, root, is_superuser="on", email="root@example.org").status_code == 302
    assert User.objects.get(pk=root.pk).email == "root@example.org"


def test_an_administrator_makes_an_account_in_the_admin(admin):
    form = {
        "username": "bea",
        "email": "bea@example.org",
        "usable_password": "true",
        "password1": "a long word of mine",
        "password2": "a long word of mine",
        "is_staff": "on",
        "groups": group("Reviewer"),
        "is_superuser": "on",
    }
    assert signed_in(admin).post("/admin/auth/user/add/", form).status_code == 302
    assert roles("bea") == {"Reviewer"}
    assert not User.objects.get(username="bea").is_superuser


def test_no_account_is_deleted_and_no_role_is_changed(admin):
    client, ann = signed_in(admin), member("ann", "Intake")
    assert client.post(f"/admin/auth/user/{ann.pk}/delete/", {"post": "yes"}).status_code == 403
    role = Group.objects.get(name="Intake")
    shown = client.get(f"/admin/auth/group/{role.pk}/change/").content.decode()
    assert "read cases; enter requests" in shown
    assert client.post(f"/admin/auth/group/{role.pk}/change/", {"name": "x"}).status_code == 403
    assert client.get("/admin/auth/group/add/").status_code == 403


@pytest.mark.parametrize("role", ["Intake", "Case officer", "Reviewer", "Auditor"])
def test_L22_accounts_are_for_administrators_and_tables_for_every_role(role):
    client = signed_in(member(role, role))
    assert client.get("/admin/auth/user/").status_code == 403
    assert client.get("/admin/auth/group/").status_code == 403
    assert client.get("/admin/audits/erasurerequest/").status_code == 200
    assert client.get("/admin/lineage/modelversion/").status_code == 200


def test_L22_staff_without_a_role_read_no_table_whatever_permission_they_were_given():
    user = User.objects.create_user("bare", is_staff=True)
    client = signed_in(user)
    for table in ("audits/erasurerequest", "lineage/modelversion", "auth/user", "auth/group"):
        assert client.get(f"/admin/{table}/").status_code == 403
    assert client.get("/admin/").status_code == 200


# --- the log ------------------------------------------------------------------------------------


def told(user: User) -> list[tuple[str, str]]:
    """What the log says that somebody was given and lost."""
    member_of = staff_pseudonym(user.pk)
    leaves = LogLeaf.objects.filter(type="role_changed").order_by("index")
    events = [json.loads(bytes(leaf.data)) for leaf in leaves]
    assert user.username not in str(events)
    mine = [one["data"] for one in events if one["data"]["member"] == member_of]
    return [(one["role"], one["result"]) for one in mine]


def test_L22_every_change_of_a_role_is_an_event_that_names_nobody(admin):
    staff("add", "zoe", "--role", "Intake", "--role", "Reviewer", "--email", "z@example.org")
    zoe = User.objects.get(username="zoe")
    assert told(zoe) == [(code, "GIVEN") for code in ("ACTIVE", "INTAKE", "REVIEWER", "STAFF")]
    change(admin, zoe, groups=group("Case officer"))
    staff("remove-role", "zoe", "--role", "case officer")
    staff("close", "zoe")
    assert told(zoe)[4:] == [
        ("CASE_OFFICER", "GIVEN"),
        ("INTAKE", "TAKEN"),
        ("REVIEWER", "TAKEN"),
        ("CASE_OFFICER", "TAKEN"),
        ("ACTIVE", "TAKEN"),
    ]
    by = [json.loads(bytes(one.data))["actor"] for one in LogLeaf.objects.order_by("index")]
    assert by[4] == actor_of(admin)
    assert by[0] == by[7] == "system"


def test_L22_a_role_loses_the_rights_that_it_has_no_more():
    make_roles()
    auditor = Group.objects.get(name="Auditor")
    auditor.permissions.add(Permission.objects.get(codename="handle_case"))
    make_roles()
    assert set(auditor.permissions.values_list("codename", flat=True)) == {"read_cases"}


def test_L22_whoever_sets_the_password_of_another_is_in_the_log(admin):
    ann = member("ann", "Reviewer")
    at = f"/admin/auth/user/{ann.pk}/password/"
    word = {"password1": "a long word of mine", "usable_password": "true"}
    signed_in(admin).post(at, {**word, "password2": "another word"})
    assert not LogLeaf.objects.filter(type="password_set").exists()
    assert signed_in(admin).post(at, {**word, "password2": word["password1"]}).status_code == 302
    assert User.objects.get(pk=ann.pk).check_password(word["password1"])
    (leaf,) = LogLeaf.objects.filter(type="password_set")
    said = json.loads(bytes(leaf.data))
    assert said["actor"] == actor_of(admin)
    assert said["data"] == {"member": staff_pseudonym(ann.pk), "by": staff_pseudonym(admin.pk)}


def test_L22_nobody_of_the_staff_has_a_second_open_account_by_the_same_address(admin):
    staff("add", "zoe", "--role", "Case officer", "--email", "z@example.org")
    with pytest.raises(CommandError, match="'zoe' has this e-mail address"):
        staff("add", "zed", "--role", "Reviewer", "--email", "Z@Example.org")
    form = {
        "username": "zed",
        "email": "Z@Example.org",
        "usable_password": "true",
        "password1": "a long word of mine",
        "password2": "a long word of mine",
        "is_staff": "on",
        "groups": group("Reviewer"),
    }
    refused = signed_in(admin).post("/admin/auth/user/add/", form)
    assert "has this e-mail address" in refused.content.decode()
    ann = member("ann", "Reviewer")
    refused = change(admin, ann, email=" z@example.org")
    assert "has this e-mail address" in refused.content.decode()
    assert not User.objects.filter(username="zed").exists()
    staff("close", "zoe")
    assert change(admin, ann, email="z@example.org").status_code == 302

"""Addresses below /accounts/: those of django-allauth that staff need, and no sign-up or mail."""

from __future__ import annotations

from allauth.account import views as accounts
from allauth.socialaccount import views as vouched
from allauth.socialaccount.providers.openid_connect import views as openid
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from audits.views import own_sessions
from audits.views.sign_in import SignIn
from audits.views.vouching import again_elsewhere, answering

sign_in = SignIn.as_view()
urlpatterns = [
    path("login/", sign_in, name="login"),
    path("login/", sign_in, name="account_login"),  # as allauth calls it
    path("logout/", LogoutView.as_view(), name="logout"),
    path("again/", accounts.reauthenticate, name="account_reauthenticate"),
    path("again/elsewhere/", again_elsewhere, name="again_elsewhere"),
    path("inactive/", accounts.account_inactive, name="account_inactive"),
    path("sessions/", own_sessions.own_sessions, name="own_sessions"),
    path("sessions/others/end/", own_sessions.end_others, name="end_others"),
    path("sessions/<int:session_id>/end/", own_sessions.end_session, name="end_session"),
    path("second-factor/", include("allauth.mfa.urls")),
    path("cancelled/", vouched.login_cancelled, name="socialaccount_login_cancelled"),
    path("error/", vouched.login_error, name="socialaccount_login_error"),
    path("oidc/<provider_id>/login/", answering(openid.login), name="openid_connect_login"),
    path(
        "oidc/<provider_id>/login/callback/",
        answering(openid.callback),
        name="openid_connect_callback",
    ),
]

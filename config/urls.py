"""The map of the site."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path, re_path

from audits.views.sign_in import SignInForm
from config import api
from config.health import healthz

sign_in = LoginView.as_view(
    authentication_form=SignInForm,
    redirect_authenticated_user=True,
)
urlpatterns = [
    path("", include("audits.urls")),
    path("models/", include("lineage.urls")),
    path("accounts/login/", sign_in, name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("healthz", healthz, name="healthz"),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    re_path(r"^api/(?P<rest>[\s\S]*)$", api.not_found),
]
handler400 = "audits.views.errors.bad_request"
handler403 = "audits.views.errors.permission_denied"
handler404 = "audits.views.errors.page_not_found"
handler500 = "audits.views.errors.server_error"

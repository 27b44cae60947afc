"""The map of the site."""

from __future__ import annotations

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path, re_path

from audits.views.proving import counting_old_passwords
from config import api

# One way in: with the second factor, the lock and the limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.password_change = counting_old_passwords(  # type: ignore[assignment, method-assign]
    admin.site.password_change
)
urlpatterns = [
    path("", include("audits.urls")),
    path("models/", include("lineage.urls")),
    path("accounts/", include("config.account_urls")),
    path("admin/", admin.site.urls),
    path("api/v1/", api.urls),
    re_path(r"^api/(?P<rest>[\s\S]*)$", api.not_found),
]
handler400 = "audits.views.errors.bad_request"
handler403 = "audits.views.errors.permission_denied"
handler404 = "audits.views.errors.page_not_found"
handler500 = "audits.views.errors.server_error"

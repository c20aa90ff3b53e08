"""Addresses of the staff console."""

from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from desk.login import login_once


def healthz(request: HttpRequest) -> JsonResponse:
    """Tell whether this process can do its work; needs the database, nothing else."""
    connection.ensure_connection()
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("healthz", healthz),
    path("login/once/<str:token>", login_once, name="login_once"),
    path("documents/", include(wagtaildocs_urls)),
    path("", include(wagtailadmin_urls)),
]

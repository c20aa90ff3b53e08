"""Addresses of the staff console."""

import logging

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from desk.login import login_once

logger = logging.getLogger(__name__)


def healthz(request: HttpRequest) -> JsonResponse:
    """Tell whether this process can do its work; needs the database, nothing else.

    A kept connection counts as open long after its server has gone, so the database is really asked.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        # What the driver says may name hosts and users: that is for the log.
        logger.error("The database does not answer: %s", error)
        return JsonResponse({"status": "database"}, status=503)
    return JsonResponse({"status": "ok"})


urlpatterns = [
    path("healthz", healthz),
    path("login/once/<str:token>", login_once, name="login_once"),
    path("documents/", include(wagtaildocs_urls)),
    path("", include(wagtailadmin_urls)),
]

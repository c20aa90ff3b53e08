"""Puts the page "Import and export" into the console.

Apart from its views, because every process reads Wagtail's hooks, the bot's too, and what reads tables brings numpy.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

PERMISSION = "knowledge.change_translation"


@hooks.register("register_admin_urls")
def addresses() -> list[URLPattern | URLResolver]:
    """Put the pages under the console."""
    from desk import views_exchange as views

    own = [
        path("", views.index, name="index"),
        path("upload/", views.upload, name="upload"),
        path("preview/<str:token>/", views.preview, name="preview"),
        path("confirm/<str:token>/", views.confirm, name="confirm"),
        path("table/", views.table, name="table"),
        path("missing/", views.missing, name="missing"),
        path("files/", views.files, name="files"),
    ]
    return [path("exchange/", include((own, "desk_exchange")))]


class ExchangeMenuItem(MenuItem):
    """The menu item of the page."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who edit texts."""
        return bool(request.user.has_perm(PERMISSION))


@hooks.register("register_admin_menu_item")
def exchange_menu_item() -> MenuItem:
    """Put the page in the menu."""
    return ExchangeMenuItem(
        "Nhập và xuất / Import, export", reverse("desk_exchange:index"), name="exchange", icon_name="download", order=5
    )

"""What the desk adds to Wagtail's console: ticket pages, their menu item, open tickets at the start."""

from __future__ import annotations

from typing import Any

from django.forms import Media
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.admin.ui.sidebar import LinkMenuItem
from wagtail.snippets.models import register_snippet

from desk import audit_views as audit_views  # its hooks put the audit log into the console
from desk import case_file, views, views_files, views_index, views_steps, views_ticket
from desk import hooks_exchange as hooks_exchange
from desk import views_gaps as views_gaps
from desk import views_pauses as views_pauses  # its hooks put the switch into the console
from desk import views_quality as views_quality
from desk.snippets import DeskGroup

SHOWN_AT_HOME = 8
register_snippet(DeskGroup)


@hooks.register("register_admin_urls")
def ticket_urls() -> list[URLPattern | URLResolver]:
    """Put the ticket pages under `tickets/`; Wagtail asks for a login and the right to enter the console."""
    pages = [
        path("", views_index.index, name="index"),
        path("changed/", views_index.changed, name="changed"),
        path("<str:number>/", views_ticket.detail, name="detail"),
        path("<str:number>/updates/", views_ticket.updates, name="updates"),
        path("<str:number>/here/", views_ticket.here, name="here"),
        path("<str:number>/files/<int:pk>/", views_files.download, name="file"),
        path("<str:number>/export/", case_file.export, name="export"),
        path("<str:number>/draft/", views_steps.make_draft, name="draft"),
        path("<str:number>/<str:step>/", views_steps.act, name="act"),
    ]
    return [path("tickets/", include((pages, "desk_tickets")))]


class TicketsMenuItem(MenuItem):
    """The menu item "Phiếu / Tickets (3)"; the count stands in the label: Wagtail's menu has no badge."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who work on tickets."""
        return views.may_work(request.user)

    def render_component(self, request: HttpRequest) -> LinkMenuItem:
        """Count what waits for this user at every page, since a menu item is made once for all of them."""
        count = views.waiting_for(request.user).count()
        label = f"{self.label} ({count})" if count else self.label
        return LinkMenuItem(self.name, label, self.url, icon_name=self.icon_name, classname=self.classname)


@hooks.register("register_admin_menu_item")
def tickets_menu_item() -> MenuItem:
    """Put tickets first in the menu."""
    return TicketsMenuItem(
        "Phiếu / Tickets", reverse("desk_tickets:index"), name="tickets", icon_name="mail", order=1
    )


@hooks.register("insert_global_admin_css")
def console_style() -> str:
    """Let a menu label take two lines: ours hold two languages."""
    return format_html('<link rel="stylesheet" href="{}">', static("desk/console.css"))


@hooks.register("insert_global_admin_js")
def console_script() -> str:
    """Start what Wagtail's templates start with inline scripts elsewhere: our content policy runs none."""
    return format_html('<script src="{}"></script>', static("desk/console.js"))


@hooks.register("construct_main_menu")
def hide_pages(request: HttpRequest, menu_items: list[MenuItem]) -> None:
    """Take the page explorer out of the menu: the knowledge base has no pages.

    Wagtail's help speaks of pages too, of releases and of updates, which only an administrator can use.
    """
    hidden = {"explorer"} if request.user.is_superuser else {"explorer", "help"}
    menu_items[:] = [item for item in menu_items if item.name not in hidden]


@hooks.register("construct_homepage_summary_items", order=1000)  # after Wagtail has put them there
def hide_page_count(request: HttpRequest, summary_items: list[Component]) -> None:
    """Take "1 page" and its companions off the console's first page, for the same reason."""
    summary_items.clear()


class OpenTickets(Component):
    """The tickets that wait for the user, on the console's first page."""

    name = "open_tickets"
    template_name = "desk/tickets/home_panel.html"
    order = 10

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    @property
    def media(self) -> Media:
        """Return the style of the ticket pages."""
        return Media(css={"all": ["desk/tickets.css"]})

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        """Return the most urgent tickets and how many there are."""
        waiting, now = views.waiting_for(self.request.user), timezone.now()
        return {
            "tickets": waiting[:SHOWN_AT_HOME],
            "count": waiting.count(),
            "overdue": waiting.filter(deadline__lt=now).count(),
            "now": now,
        }


@hooks.register("construct_homepage_panels")
def open_tickets_panel(request: HttpRequest, panels: list[Component]) -> None:
    """Show the open tickets first to those who work on them."""
    if views.may_work(request.user):
        panels.insert(0, OpenTickets(request))

"""The switch in the console: pause the bot or a topic, let it answer again, take an entry off the air."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.html import format_html_join
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component
from wagtail.snippets.action_menu import ActionMenuItem

from desk import pauses
from desk.models import Pause
from knowledge.models import Category, Entry

SHOWN = 20


def _allowed(request: HttpRequest) -> None:
    if not request.user.has_perm(pauses.PERMISSION):
        raise Http404


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show what is paused, the forms that pause, and the last pauses; `?entry=SLUG` fills in what to withdraw."""
    _allowed(request)
    active = pauses.active()
    context = {
        "active": active.values(),
        "bot_paused": "" in active,
        "topics": [(value, label) for value, label in Category.choices if value not in active],
        "reasons": Pause.Reason.choices,
        "entries": Entry.objects.real().filter(live=True).order_by("slug").values_list("slug", flat=True),
        "entry": request.GET.get("entry", ""),
        "past": Pause.objects.exclude(ended_at=None).select_related("began_by", "ended_by")[:SHOWN],
    }
    return render(request, "desk/pauses/index.html", context)


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Pause the bot or a topic."""
    _allowed(request)
    given = request.POST
    done = "Đã tạm dừng. / Paused."
    return _done(request, done, pauses.begin, given.get("category", ""), given.get("reason", ""), given.get("note", ""))


@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the bot answer again."""
    _allowed(request)
    return _done(request, "Đã trả lời lại. / Answering again.", pauses.end, get_object_or_404(Pause, pk=pk))


@require_POST
def withdraw(request: HttpRequest) -> HttpResponse:
    """Take an entry off the air."""
    _allowed(request)
    slug = request.POST.get("entry", "")
    done = f"Đã rút “{slug}”, không ai được trả lời bằng mục này nữa. / “{slug}” is withdrawn: nobody is told it now."
    return _done(request, done, pauses.withdraw, slug, request.POST.get("note", ""))


def _done(request: HttpRequest, done: str, step: Any, *arguments: Any) -> HttpResponse:
    try:
        step(*arguments, request.user)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, done)
    return HttpResponseRedirect(reverse("desk_pauses:index"))


@hooks.register("register_admin_urls")
def pause_urls() -> list[URLPattern | URLResolver]:
    """Put the switch under `pauses/`; Wagtail asks for a login and the right to enter the console."""
    pages = [
        path("", index, name="index"),
        path("begin/", begin, name="begin"),
        path("withdraw/", withdraw, name="withdraw"),
        path("<int:pk>/end/", end, name="end"),
    ]
    return [path("pauses/", include((pages, "desk_pauses")))]


class PauseMenuItem(MenuItem):
    """The menu item of the switch."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who may pause."""
        return request.user.has_perm(pauses.PERMISSION)


@hooks.register("register_admin_menu_item")
def pause_menu_item() -> MenuItem:
    """Put the switch below the knowledge base."""
    return PauseMenuItem(
        "Tạm dừng / Pause", reverse("desk_pauses:index"), name="pauses", icon_name="warning", order=3
    )


class WithdrawItem(ActionMenuItem):
    """ "Withdraw now" among the actions of a published entry."""

    name = "action-withdraw"
    label = "Rút ngay / Withdraw now"
    icon_name = "warning"
    order = 80

    def is_shown(self, context: dict[str, Any]) -> bool:
        """Show it to approvers, for what is on the air."""
        entry = context.get("instance")
        return bool(entry and entry.live and context["request"].user.has_perm(pauses.PERMISSION))

    def get_url(self, context: dict[str, Any]) -> str:
        """Return the switch with the entry filled in."""
        return f"{reverse('desk_pauses:index')}?entry={context['instance'].slug}#withdraw"


@hooks.register("register_snippet_action_menu_item")
def withdraw_item(model: type) -> ActionMenuItem | None:
    """Offer it for entries."""
    return WithdrawItem() if model is Entry else None


class PausedWarning(Component):
    """What is paused, on everybody's first page of the console: a pause must not be forgotten."""

    name = "paused"
    order = 1

    def __init__(self, request: HttpRequest) -> None:
        self.request = request

    def render_html(self, parent_context: Any = None) -> str:
        """Return one line a pause."""
        return format_html_join(
            "", '<p class="help-block help-critical"><b>Đang tạm dừng / Paused:</b> {} · {} · {}</p>',
            (
                (pause.get_category_display() or "Toàn bộ bot / the whole bot", pause.get_reason_display(), pause.note)
                for pause in pauses.active().values()
            ),
        )


@hooks.register("construct_homepage_panels")
def paused_warning(request: HttpRequest, panels: list[Component]) -> None:
    """Show what is paused first."""
    panels.append(PausedWarning(request))

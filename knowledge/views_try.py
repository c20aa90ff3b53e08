"""The page "Try it" of the console: ask as anybody would, see why, and say what should have answered."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.snippets.action_menu import ActionMenuItem

from knowledge import whatif
from knowledge.cases import should_match
from knowledge.client import End, SearchUnavailable
from knowledge.models import LANGUAGE_CHOICES, Entry, Translation
from knowledge.tryout import try_out
from nlu.languages import supported
from nlu.text import MAX_LENGTH, clean

PERMISSION = "knowledge.change_translation"
INSTEAD = {
    "emergency": "Khẩn cấp: bot đưa ngay các số 113, 114, 115. / An emergency: the bot gives the numbers at once.",
    "press": "Báo chí: bot mở phiếu cho cán bộ báo chí. / The press: the bot opens a request for press officers.",
    "moved": "Địa chỉ cũ: bot nói đơn vị mới. / An old address: the bot tells the new unit.",
    "events": "Có sự kiện gì: bot liệt kê sự kiện sắp tới. / What is on: the bot lists the events to come.",
    "position": (
        "Quan điểm của thành phố: bot chuyển cho cán bộ. / The city's position: the bot hands over to a person."
    ),
}
OUTCOMES = {
    "answered": "Trả lời / answers",
    "clarify": "Hỏi lại / asks back",
    "not_known": "Nói là không biết / says that it does not know",
}


def _allowed(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


@never_cache
def index(request: HttpRequest) -> HttpResponse:
    """Show the form and, after a POST (addresses are logged, questions are not), what the bot would say."""
    _allowed(request)
    given = request.POST
    language = supported(given.get("language"))
    context: dict[str, Any] = {
        "languages": LANGUAGE_CHOICES, "asked": given.get("text", ""), "language": language,
        "about": given.get("entry") or request.GET.get("entry", ""), "longest": MAX_LENGTH,
        "slugs": Entry.objects.real().order_by("slug").values_list("slug", flat=True),
    }  # fmt: skip
    if request.method == "POST":
        try:
            tried = try_out(context["asked"], language or "")
        except SearchUnavailable as error:
            messages.error(
                request,
                f"Dịch vụ tìm kiếm không trả lời ({error}); thử lại sau. / The search service does not answer "
                f"({error}); try again later.",
            )
        else:
            if tried is None:
                messages.error(request, "Hãy gõ vài từ. / Type a few words.")
            else:
                context |= {
                    "tried": tried, "outcome": OUTCOMES[tried.found.outcome],
                    "instead": INSTEAD.get(tried.instead, ""),
                    "spoken": dict(LANGUAGE_CHOICES).get(tried.language, tried.language),
                }  # fmt: skip
    return render(request, "knowledge/try.html", context)


@require_POST
def case(request: HttpRequest) -> HttpResponse:
    """Keep a question as an evaluation case of an entry, or as one to decline, and show the page again."""
    _allowed(request)
    text, language = clean(request.POST.get("text", "")).text, supported(request.POST.get("language"))
    slug = request.POST.get("entry", "").strip()
    entry = Entry.objects.filter(slug=slug).first()
    if not text or not language or (slug and entry is None):
        messages.error(request, f"Không có mục “{slug}”. / There is no entry “{slug}”.")
        return index(request)
    _, suggested = should_match(text, language, entry, request.user)
    done = "Đã lưu câu kiểm tra. / The evaluation case is kept."
    if suggested:
        done += " Câu hỏi được thêm vào bản nháp của mục. / The question was added to the entry's draft."
    messages.success(request, done)
    return index(request)


@never_cache
def changes(request: HttpRequest, pk: int) -> HttpResponse:
    """Show which known questions would end otherwise with a text's draft."""
    _allowed(request)
    row = get_object_or_404(Translation, pk=pk)
    draft = row.get_latest_revision_as_object()
    context: dict[str, Any] = {
        "text": str(draft), "back": reverse(Translation.snippet_viewset.get_url_name("edit"), args=[pk])
    }
    try:
        found, asked = whatif.changes(draft)
    except SearchUnavailable as error:
        context["failed"] = (
            f"Dịch vụ tìm kiếm không trả lời ({error}); thử lại sau. / The search service does not answer ({error}); "
            "try again later."
        )
    else:
        rows = [
            {**asdict(each), "verdict": each.verdict, "now_said": _said(each.now), "then_said": _said(each.then)}
            for each in found
        ]
        context |= {"changes": rows, "asked": asked}
    return render(request, "knowledge/changes.html", context)


def _said(end: End) -> str:
    return f"{OUTCOMES[end.outcome]}: {end.entry}" if end.outcome != "not_known" else OUTCOMES[end.outcome]


@hooks.register("register_admin_urls")
def try_urls() -> list[URLPattern | URLResolver]:
    """Put the page under `try/`; Wagtail asks for a login and the right to enter the console."""
    pages = [
        path("", index, name="index"), path("case/", case, name="case"),
        path("changes/<int:pk>/", changes, name="changes"),
    ]  # fmt: skip
    return [path("try/", include((pages, "knowledge_try")))]


class TryMenuItem(MenuItem):
    """The menu item of the page."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to editors."""
        return request.user.has_perm(PERMISSION)


@hooks.register("register_admin_menu_item")
def try_menu_item() -> MenuItem:
    """Put the page below the knowledge base."""
    return TryMenuItem("Thử hỏi / Try it", reverse("knowledge_try:index"), name="try", icon_name="help", order=3)


class TryItem(ActionMenuItem):
    """ "Try it" among the actions of an entry and of a text."""

    name = "action-try"
    label = "Thử hỏi / Try it"
    icon_name = "help"
    order = 70

    def is_shown(self, context: dict[str, Any]) -> bool:
        """Show it where there is something to try."""
        return context.get("instance") is not None and context["request"].user.has_perm(PERMISSION)

    def get_url(self, context: dict[str, Any]) -> str:
        """Return the page with the entry filled in."""
        instance = context["instance"]
        slug = instance.entry.slug if isinstance(instance, Translation) else instance.slug
        return f"{reverse('knowledge_try:index')}?entry={slug}"


@hooks.register("register_snippet_action_menu_item")
def try_item(model: type) -> ActionMenuItem | None:
    """Offer it for entries and their texts."""
    return TryItem() if model in (Entry, Translation) else None


class ChangesItem(ActionMenuItem):
    """ "What would change" among the actions of a text."""

    name = "action-changes"
    label = "Xuất bản thì điều gì đổi? / What would change?"
    icon_name = "history"
    order = 71

    def is_shown(self, context: dict[str, Any]) -> bool:
        """Show it where there is a draft to try."""
        return context.get("instance") is not None and context["request"].user.has_perm(PERMISSION)

    def get_url(self, context: dict[str, Any]) -> str:
        """Return the page."""
        return reverse("knowledge_try:changes", args=[context["instance"].pk])


@hooks.register("register_snippet_action_menu_item")
def changes_item(model: type) -> ActionMenuItem | None:
    """Offer it for texts."""
    return ChangesItem() if model is Translation else None

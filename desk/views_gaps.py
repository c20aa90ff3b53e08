"""The page "Asked in vain" of the console: what nothing answers yet, the most asked first, and what to do about it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from desk import gaps
from knowledge.client import SearchUnavailable
from knowledge.models import LANGUAGE_CHOICES, Category, Department, Entry, Member, Translation

PERMISSION = "knowledge.change_translation"
SHOWN, QUESTIONS = 40, 6


def _allowed(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the open groups; `?done=1` those that were decided on."""
    _allowed(request)
    made_at, groups = gaps.read(settings.GAPS_REPORT)
    done, now = bool(request.GET.get("done")), timezone.now()
    found = [each for each in gaps.gaps(groups) if each.open != done]
    home = Member.objects.filter(user=request.user).values_list("department", flat=True).first()
    context = {
        "made_at": made_at, "done": done, "count": len(found), "gaps": [_row(each, now) for each in found[:SHOWN]],
        "categories": Category.choices, "departments": Department.objects.all(), "home": home,
        "slugs": Entry.objects.real().order_by("slug").values_list("slug", flat=True),
    }  # fmt: skip
    return render(request, "desk/gaps.html", context)


def _row(gap: gaps.Gap, now: Any) -> dict[str, Any]:
    names, (late, before) = dict(LANGUAGE_CHOICES), gap.trend(now)
    (language, question), *others = gap.questions
    return {
        "turns": ",".join(str(turn.pk) for turn in gap.turns), "question": question, "language": language,
        "others": others[:QUESTIONS], "more": max(0, len(others) - QUESTIONS), "count": len(gap.turns),
        "late": late, "before": before, "trend": "▲" if late > before else "▼" if late < before else "＝",
        "languages": [(names.get(code, code), number) for code, number in gap.languages],
        "near": next((each["entry"] for turn in gap.turns for each in turn.near[:1]), ""),
        "decision": gap.decision, "again": gap.again, "wishes": gap.wishes, "disliked": gap.disliked,
    }  # fmt: skip


@require_POST
def again(request: HttpRequest) -> HttpResponse:
    """Group anew what was asked in vain."""
    _allowed(request)
    try:
        gaps.make(timezone.now(), settings.GAPS_REPORT)
    except SearchUnavailable as error:
        messages.error(
            request,
            f"Dịch vụ tìm kiếm không trả lời ({error}); thử lại sau. / The search service does not answer ({error}); "
            "try again later.",
        )
    return redirect("desk_gaps:index")


@require_POST
def act(request: HttpRequest, step: str) -> HttpResponse:
    """Do one thing about a group: `draft`, `alternative`, `alias` or `dismiss`."""
    _allowed(request)
    given = request.POST
    numbers = [int(each) for each in given.get("turns", "").split(",") if each.isdecimal()]
    found = gaps.gaps([numbers])
    if not found:
        messages.error(request, "Các câu hỏi này không còn. / These questions are gone.")
        return redirect("desk_gaps:index")
    (gap,) = found
    try:
        return _done(request, gap, step)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("desk_gaps:index")


def _done(request: HttpRequest, gap: gaps.Gap, step: str) -> HttpResponse:
    user, given = request.user, request.POST
    if step == "draft":
        office = Department.objects.filter(slug=given.get("department")).first()
        if office is None:
            raise ValidationError("Hãy chọn cơ quan. / Choose a department.")
        entry = gaps.draft_entry(gap, user, given.get("category", ""), office)
        text = entry.translations.order_by("pk").first()
        messages.success(request, "Đã tạo bản nháp; viết câu trả lời. / The draft is made; write the answer.")
        return redirect(reverse(Translation.snippet_viewset.get_url_name("edit"), args=[text.pk]))
    if step == "alternative":
        put = gaps.add_alternatives(gap, user, given.get("entry", ""))
        messages.success(request, f"Đã thêm {put} cách hỏi vào bản nháp. / {put} ways to ask were put into the draft.")
    elif step == "alias":
        gaps.add_alias(gap, user, given.get("entry", ""), given.get("alias", ""))
        messages.success(request, "Đã thêm tên gọi vào bản nháp. / The name was put into the draft.")
    else:
        gaps.dismiss(gap, user, given.get("reason", ""))
        messages.success(request, "Đã bỏ qua. / Dismissed.")
    return redirect("desk_gaps:index")


@hooks.register("register_admin_urls")
def addresses() -> list[URLPattern | URLResolver]:
    """Put the page under the console."""
    own = [
        path("", index, name="index"), path("again/", again, name="again"), path("<slug:step>/", act, name="act")
    ]  # fmt: skip
    return [path("gaps/", include((own, "desk_gaps")))]


class GapsMenuItem(MenuItem):
    """The menu item of the page."""

    def is_shown(self, request: HttpRequest) -> bool:
        """Show it to those who write texts."""
        return bool(request.user.has_perm(PERMISSION))


@hooks.register("register_admin_menu_item")
def gaps_menu_item() -> MenuItem:
    """Put the page in the menu."""
    return GapsMenuItem(
        "Hỏi chưa được / Asked in vain", reverse("desk_gaps:index"), name="gaps", icon_name="comment", order=3
    )

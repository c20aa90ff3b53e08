"""The page "Practice" of the console: what to do on an entry of one's own, and what is done."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST
from wagtail import hooks

from knowledge import practice
from knowledge.models import Entry, Translation
from nlu.languages import SOURCE

PERMISSION = "knowledge.change_translation"
NOTICE = (
    "Mục tập dượt: người hỏi không bao giờ thấy, cứ thử thoải mái. / "
    "A practice entry: askers never see it, try whatever you like."
)


def _allowed(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the exercises, with where to do each."""
    _allowed(request)
    entry = practice.mine(request.user)
    rows = [(each, _address(entry, each)) for each in practice.exercises(entry)] if entry else []
    done = sum(each.done for each, _ in rows)
    context = {"entry": entry, "rows": rows, "done": done, "all_done": rows and done == len(rows)}
    if entry:
        context["entry_url"] = reverse(Entry.snippet_viewset.get_url_name("edit"), args=[entry.pk])
    return render(request, "knowledge/practice.html", context)


def _address(entry: Entry, exercise: practice.Exercise) -> str:
    if exercise.text is not None:
        return reverse(Translation.snippet_viewset.get_url_name("edit"), args=[exercise.text.pk])
    query = urlencode({"entry": entry.pk, "language": exercise.language, "source_language": SOURCE})
    return f"{reverse(Translation.snippet_viewset.get_url_name('add'))}?{query}"


@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Make the entry, or a fresh one."""
    _allowed(request)
    try:
        practice.begin(request.user)
    except ValidationError as error:
        messages.error(request, error.message)
    return redirect("knowledge_practice:index")


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """Delete the entry."""
    _allowed(request)
    if practice.end(request.user):
        messages.success(request, "Đã xóa mục tập dượt. / The practice entry is deleted.")
    return redirect("knowledge_practice:index")


@hooks.register("register_admin_urls")
def addresses() -> list[URLPattern | URLResolver]:
    """Put the page under the console."""
    ours = [path("", index, name="index"), path("begin/", begin, name="begin"), path("end/", end, name="end")]
    return [path("practice/", include((ours, "knowledge_practice")))]


@hooks.register("before_edit_snippet")
def say_so(request: HttpRequest, instance: object) -> None:
    """Say on the forms of a practice entry and its texts what they are."""
    entry = getattr(instance, "entry", instance)
    if request.method == "GET" and isinstance(entry, Entry) and entry.practice:
        messages.info(request, NOTICE)

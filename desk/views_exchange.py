"""The page "Import and export": content out as tables and files, and in as drafts after a preview."""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from desk import staging
from desk.hooks_exchange import PERMISSION
from desk.staging import Staged
from knowledge.exchange import sheet
from knowledge.exchange.docx_in import read_docx
from knowledge.exchange.drafts import make_drafts
from knowledge.exchange.errors import FileError
from knowledge.exchange.html_in import read_html
from knowledge.exchange.plan import Defaults, Plan, make_plan
from knowledge.exchange.table import read_csv, read_xlsx
from knowledge.importer import export_folder
from knowledge.models import LANGUAGE_CHOICES, Category, Department, Member
from nlu.languages import CODES, SOURCE

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
READERS = {"xlsx": read_xlsx, "csv": read_csv, "docx": read_docx, "html": read_html}
# Of entries and of problems, on the page; a file may hold thousands.
SHOWN = 200
GONE = "Tệp không còn; hãy tải lên lại. / The file is no longer kept; upload it again."


def _allowed(request: HttpRequest) -> None:
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


@never_cache
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show what can be taken out, and the form for what is brought in."""
    _allowed(request)
    context = {
        "languages": LANGUAGE_CHOICES, "source": SOURCE, "categories": Category.choices,
        "departments": Department.objects.all(),
        "home": Member.objects.filter(user=request.user).values_list("department__slug", flat=True).first(),
    }  # fmt: skip
    return render(request, "desk/exchange/index.html", context)


@require_POST
def upload(request: HttpRequest) -> HttpResponse:
    """Keep a file aside and lead to its preview; back with the reason when it is not taken."""
    _allowed(request)
    file = request.FILES.get("file")
    options = {key: request.POST.get(key, "") for key in ("language", "category", "department")}
    chosen = (
        options["language"] in CODES
        and options["category"] in Category.values
        and Department.objects.filter(slug=options["department"]).exists()
    )
    try:
        if file is None or not chosen:
            raise FileError(
                "Chọn tệp, ngôn ngữ, chủ đề và cơ quan. / Choose a file, language, category and department."
            )
        # One byte more than is taken is enough to know that it is too large.
        data = file.read(settings.FILES_MAX_MB * 1024 * 1024 + 1)
        token = staging.keep(file.name or "", data, options)
    except FileError as error:
        messages.error(request, str(error))
        return redirect("desk_exchange:index")
    return redirect("desk_exchange:preview", token)


@never_cache
@require_GET
def preview(request: HttpRequest, token: str) -> HttpResponse:
    """Show what a kept file would change, and what is wrong in it, row by row. Nothing is stored."""
    _allowed(request)
    staged = staging.find(token)
    plan = _plan(request, staged)
    if staged is None or plan is None:
        return redirect("desk_exchange:index")
    problems = [*plan.problems, *(each for proposal in plan.proposals for each in proposal.problems)]
    problems.sort(key=lambda each: (each.hint, each.row))
    changing = [proposal for proposal in plan.proposals if proposal.changes or proposal.blocked]
    context = {
        "token": token, "name": staged.name, "plan": plan, "problems": problems[:SHOWN],
        "errors": sum(not each.hint for each in problems), "hints": sum(each.hint for each in problems),
        "more_problems": max(0, len(problems) - SHOWN), "proposals": changing[:SHOWN],
        "more": max(0, len(changing) - SHOWN), "blocked": sum(each.blocked for each in changing),
        "same": len(plan.proposals) - len(changing), "in_sections": staged.kind in ("docx", "html"),
    }  # fmt: skip
    return render(request, "desk/exchange/preview.html", context)


@require_POST
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """Make the drafts of a kept file, compared anew with what is there now; let the file go when none is left."""
    _allowed(request)
    plan = _plan(request, staging.find(token))
    if plan is None:
        return redirect("desk_exchange:index")
    made = make_drafts(plan, request.user)
    messages.success(
        request,
        f"Đã tạo bản nháp: {made.new} mục mới, {made.changed} mục sửa, {made.texts} câu trả lời; chưa công khai. / "
        f"Drafts made: {made.new} new entries, {made.changed} changed entries, {made.texts} texts; none is public yet.",
    )
    if made.left:
        messages.warning(
            request,
            f"Còn {made.left} mục; bấm lần nữa để tiếp tục. / {made.left} entries are left; press again to go on.",
        )
        return redirect("desk_exchange:preview", token)
    transaction.on_commit(lambda: staging.drop(token))
    return redirect("desk_exchange:index")


def _plan(request: HttpRequest, staged: Staged | None) -> Plan | None:
    """Return what a file would change; None, with the reason as a message, when it cannot be read."""
    try:
        if staged is None:
            raise FileError(GONE)
        return make_plan(READERS[staged.kind](staged.data), request.user, Defaults(**staged.options))
    except FileError as error:
        messages.error(request, str(error))
        return None


@never_cache
@require_GET
def table(request: HttpRequest) -> HttpResponse:
    """Hand out everything as one table: XLSX, or CSV with `?form=csv`."""
    _allowed(request)
    if request.GET.get("form") == "csv":
        return _file(sheet.table(sheet.everything()), "text/csv; charset=utf-8", "csv")
    return _file(sheet.xlsx(sheet.everything()), XLSX, "xlsx")


@never_cache
@require_GET
def missing(request: HttpRequest) -> HttpResponse:
    """Hand out what is missing or out of date in a language, for translators; `?language=ko`."""
    _allowed(request)
    language = request.GET.get("language", "")
    if language not in CODES:
        messages.error(request, "Chọn một ngôn ngữ. / Choose a language.")
        return redirect("desk_exchange:index")
    return _file(sheet.for_translators(language), XLSX, f"{language}.xlsx")


@never_cache
@require_GET
def files(request: HttpRequest) -> HttpResponse:
    """Hand out everything as content files in a zip archive, as `manage.py export_content` writes them."""
    _allowed(request)
    out = io.BytesIO()
    with tempfile.TemporaryDirectory() as name, ZipFile(out, "w", ZIP_DEFLATED) as archive:
        export_folder(Path(name))
        for file in sorted(Path(name).rglob("*.yml")):
            archive.write(file, file.relative_to(name))
    return _file(out.getvalue(), "application/zip", "zip")


def _file(data: bytes, kind: str, suffix: str) -> HttpResponse:
    day: dt.date = timezone.localdate()
    response = HttpResponse(data, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="citydesk-{day}.{suffix}"'
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

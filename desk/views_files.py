"""Hands an asker's file to people who may see its ticket: always as a download, never shown by the browser here."""

from __future__ import annotations

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from desk import audit
from desk.models import FileState, Kind
from desk.views import the_ticket


@never_cache
@require_GET
def download(request: HttpRequest, number: str, pk: int) -> FileResponse:
    """Send one stored file of a ticket; every download is in the audit log.

    404 for a ticket that this person may not see, a file of another ticket, and one that is not (or no longer) here.
    """
    ticket = the_ticket(request, number)
    file = get_object_or_404(ticket.files, pk=pk, state=FileState.STORED)
    path = (settings.FILES_ROOT / file.path).resolve()
    if not file.path or not path.is_relative_to(settings.FILES_ROOT):
        raise Http404(f"file {pk} of {number} has no place below FILES_ROOT")
    try:
        data = path.open("rb")
    except OSError as error:
        raise Http404(f"file {pk} of {number} cannot be read: {error.strerror}") from error
    # Noted before the first byte goes out: what cannot be noted is not handed out.
    audit.record(
        "downloaded", ticket.number, actor=request.user, press=ticket.kind == Kind.PRESS, file=file.pk,
        sha256=file.sha256,
    )  # fmt: skip
    name, kind = file.name or f"{ticket.number}-{file.pk}", file.content_type or "application/octet-stream"
    response = FileResponse(data, as_attachment=True, filename=name, content_type=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Should a browser show it all the same, nothing in it may run.
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response

"""`GET /files/<kind>/<number>/<name>`: brochures and pictures of answers that may be given now (knowledge/media.py)."""

from __future__ import annotations

from urllib.parse import quote

from asgiref.sync import sync_to_async
from starlette.requests import Request
from starlette.responses import Response

from bot.api import error
from knowledge import media


async def get_file(request: Request) -> Response:
    """Return a file that goes with an answer; what was withdrawn meanwhile is gone.

    A document is saved, not shown: whatever is in it runs nothing in our name.
    """
    kind, number = request.path_params["kind"], request.path_params["number"]
    given = await sync_to_async(media.read)(kind, number) if kind in (media.PICTURE, media.DOCUMENT) else None
    if given is None:
        return error(request, 404, "not_found", "file_gone")
    shown = "inline" if kind == media.PICTURE else "attachment"
    headers = {
        "Content-Disposition": f"{shown}; filename*=UTF-8''{quote(given.name)}",
        "Cache-Control": "public, max-age=3600",
    }
    return Response(given.content, media_type=given.content_type, headers=headers)

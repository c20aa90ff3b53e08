"""Who gets into the console: the lock against guessing, and the end of a session that nobody uses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from axes.backends import AxesStandaloneBackend
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

# What a failed one-time link is counted under. Nobody can guess one, and an old link is soon pressed twice by people
# who share an address, so more of them are let pass.
LINK = {"username": "one-time link"}
TRIES = 5
LINK_TRIES = 20
# What an open page asks for by itself: nobody need be sitting before it.
POLLS = {"desk_tickets:changed", "desk_tickets:updates", "wagtailadmin_sessions:ping"}
SEEN = "seen_at"


class Backend(AxesStandaloneBackend, ModelBackend):
    """Django's users and permissions, behind the lock; one class, since `with_perm` wants one backend."""

    def authenticate(
        self, request: HttpRequest, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> AbstractBaseUser | None:
        """Return the user of a name and a password; raises PermissionDenied while they are locked out."""
        super().authenticate(request, username=username, password=password, **kwargs)
        return ModelBackend.authenticate(self, request, username=username, password=password, **kwargs)


def tries(request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
    """Return how many failures lock a name and an address out (django-axes asks)."""
    return LINK_TRIES if (credentials or {}).get("username") == LINK["username"] else TRIES


def address(request: HttpRequest) -> str:
    """Return the client's address. The server has put there what the trusted proxy says (desk/server.py), nothing
    that a client can write into a header.
    """
    return request.META.get("REMOTE_ADDR", "")


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """Return the page that says so."""
    seconds = int(settings.AXES_COOLOFF_TIME.total_seconds())
    page = render(request, "desk/locked_out.html", {"minutes": seconds // 60}, status=429)
    page.headers["Retry-After"] = str(seconds)
    return page


def link_refused(request: HttpRequest) -> bool:
    """Tell whether one-time links from this address are refused for now."""
    return not AxesProxyHandler.is_allowed(request, LINK)


def link_failed(request: HttpRequest) -> None:
    """Count a one-time link that did not work."""
    user_login_failed.send(__name__, credentials=LINK, request=request)


class IdleMiddleware:
    """Ends a session that nobody has used for SESSION_IDLE_SECONDS; what an open page polls is no use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer a request; one that comes too late is nobody's."""
        if request.user.is_authenticated:
            now, seen = time.time(), request.session.get(SEEN)
            if seen is not None and now - seen > settings.SESSION_IDLE_SECONDS:
                logout(request)
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        """Note that somebody is there; to the minute, so that not every page writes a session."""
        if not request.user.is_authenticated or request.resolver_match.view_name in POLLS:
            return
        now, seen = time.time(), request.session.get(SEEN, 0)
        if now - seen > min(60, settings.SESSION_IDLE_SECONDS / 4):
            request.session[SEEN] = now

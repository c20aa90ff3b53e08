"""One-time login links: how the first person gets into the console without a password in a file.

A link holds a signed token with a nonce. The nonce is stored with the user and cleared by the first use, so a link
works once and for half an hour; the page asks for a click first, because mail programs and chats fetch links.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model, login
from django.contrib.auth.models import AbstractBaseUser
from django.core import signing
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from desk import security
from desk.models import LoginToken

SALT = "citydesk.login-once"
MAX_AGE = 30 * 60


def make_link(user: AbstractBaseUser) -> str:
    """Return a one-time login link for a user; an older one stops working."""
    nonce = secrets.token_urlsafe(16)
    LoginToken.objects.update_or_create(user=user, defaults={"nonce": nonce})
    token = signing.dumps({"user": user.pk, "nonce": nonce}, salt=SALT)
    return settings.DESK_URL + reverse("login_once", args=[token])


def use_token(token: str) -> AbstractBaseUser | None:
    """Return the user a link belongs to and use the link up; None when it is forged, old or used."""
    try:
        data = signing.loads(token, salt=SALT, max_age=MAX_AGE)
    except signing.BadSignature:
        return None
    with transaction.atomic():
        used, _ = LoginToken.objects.filter(user_id=data["user"], nonce=data["nonce"]).delete()
        if not used:
            return None
        return get_user_model().objects.filter(pk=data["user"], is_active=True).first()


@never_cache
@require_http_methods(["GET", "POST"])
def login_once(request: HttpRequest, token: str) -> HttpResponse:
    """Ask for a click, then log in; a link that does not work any more says why and what to do."""
    if request.method == "GET":
        return render(request, "desk/login_once.html", {"failed": False})
    if security.link_refused(request):
        return security.locked_out(request)
    user = use_token(token)
    if user is None:
        security.link_failed(request)
        return render(request, "desk/login_once.html", {"failed": True}, status=410)
    login(request, user)
    return HttpResponseRedirect(reverse("wagtailadmin_home"))

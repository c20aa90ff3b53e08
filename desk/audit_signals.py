"""Records what does not go through a ticket's steps: logins, publishing, and who may do what."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group, Permission
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest
from wagtail.log_actions import get_active_log_context
from wagtail.signals import published, unpublished

from desk import audit
from desk.security import LINK
from knowledge.models import Department, Entry, Translation

# What a user may do beside the rights of groups.
FLAGS = ("is_active", "is_staff", "is_superuser")


def connect() -> None:
    """Listen; called once, when Django has loaded its applications."""
    user_logged_in.connect(_logged_in, dispatch_uid="audit")
    user_logged_out.connect(_logged_out, dispatch_uid="audit")
    user_login_failed.connect(_login_failed, dispatch_uid="audit")
    user_locked_out.connect(_locked_out, dispatch_uid="audit")
    published.connect(_published, dispatch_uid="audit")
    unpublished.connect(_unpublished, dispatch_uid="audit")
    for model in (Entry, Translation, Department):
        post_delete.connect(_deleted, sender=model, dispatch_uid="audit")
    user = get_user_model()
    for through in (user.groups.through, user.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_rights_changed, sender=through, dispatch_uid="audit")
    pre_save.connect(_before_user, sender=user, dispatch_uid="audit")
    post_save.connect(_after_user, sender=user, dispatch_uid="audit")
    post_delete.connect(_account_deleted, sender=user, dispatch_uid="audit")
    post_delete.connect(_account_deleted, sender=Group, dispatch_uid="audit")


def _actor() -> AbstractBaseUser | None:
    """Return who is at work in the console; None for the worker and for commands."""
    user = get_active_log_context().user
    return user if user is not None and user.is_authenticated else None


def _logged_in(sender: Any, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    audit.record("logged_in", _name(user), actor=user, address=_address(request))


def _logged_out(sender: Any, request: HttpRequest, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        audit.record("logged_out", _name(user), actor=user)


def _login_failed(sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if getattr(request, "axes_locked_out", False) and not _counted(request):
        return  # refused unread: whoever goes on knocking must not fill the log
    audit.record("login_failed", _said(credentials.get("username")), address=_address(request))


def _locked_out(sender: Any, request: HttpRequest, username: str | None, **_: Any) -> None:
    if _counted(request):  # sent at every further try too; only the one that was counted has locked
        audit.record("locked_out", _said(username), address=_address(request))


def _counted(request: HttpRequest | None) -> bool:
    """Tell whether django-axes counted this failure; it does not while the name is locked out."""
    return getattr(request, "axes_failures_since_start", None) is not None


def _said(username: str | None) -> str:
    """Return the account that somebody named; a password is soon typed there, so no other word is kept."""
    user = get_user_model().objects.filter(username=username or "").first()
    return _name(user) if user else LINK["username"] if username == LINK["username"] else "user:?"


def _address(request: HttpRequest | None) -> str:
    if request is None:
        return ""
    return getattr(request, "axes_ip_address", None) or request.META.get("REMOTE_ADDR", "")


def _published(sender: Any, instance: Model, **_: Any) -> None:
    if isinstance(instance, Entry | Translation):
        audit.record("published", _text(instance), actor=_actor(), revision=instance.live_revision_id)


def _unpublished(sender: Any, instance: Model, **_: Any) -> None:
    if isinstance(instance, Entry | Translation):
        audit.record("unpublished", _text(instance), actor=_actor())


def _deleted(sender: Any, instance: Model, **_: Any) -> None:
    audit.record("deleted", _text(instance), actor=_actor())


def _text(instance: Model) -> str:
    if isinstance(instance, Translation):
        # While an entry is being deleted with its texts, it may be gone already.
        slug = Entry.objects.filter(pk=instance.entry_id).values_list("slug", flat=True).first()
        return f"text:{slug or instance.entry_id}/{instance.language}"
    return f"{type(instance).__name__.lower()}:{instance.slug}"


def _name(account: Model) -> str:
    return f"group:{account.name}" if isinstance(account, Group) else f"user:{account.get_username()}"


def _rights_changed(
    sender: Any, instance: Model, action: str, reverse: bool, model: type[Model], pk_set: set[Any] | None, **_: Any
) -> None:
    """Record groups and permissions given and taken, from whichever side they were changed."""
    # A clear says only beforehand what it clears: that it happened is what counts.
    done = {"post_add": "granted", "post_remove": "revoked", "post_clear": "cleared"}.get(action)
    if done is None or (done != "cleared" and not pk_set):
        return
    others = sorted(_right(each) for each in model._default_manager.filter(pk__in=pk_set or ()))
    subject = _right(instance) if isinstance(instance, Permission) else _name(instance)
    audit.record(f"rights_{done}", subject, actor=_actor(), rights=others)


def _right(each: Model) -> str:
    if isinstance(each, Permission):
        return f"{each.content_type.app_label}.{each.codename}"
    return _name(each)


def _before_user(sender: Any, instance: Any, raw: bool, update_fields: Any, **_: Any) -> None:
    """Note which flags a save is about to change."""
    instance._audit_flags = {}
    if raw or (update_fields is not None and not set(FLAGS) & set(update_fields)):
        return  # a login saves last_login alone
    before = sender.objects.filter(pk=instance.pk).first() if instance.pk else None
    changed = [flag for flag in FLAGS if getattr(instance, flag) != getattr(before, flag, None)]
    instance._audit_flags = {flag: getattr(instance, flag) for flag in changed}


def _after_user(sender: Any, instance: Any, created: bool, **_: Any) -> None:
    flags = instance.__dict__.pop("_audit_flags", {})
    if created or flags:
        audit.record("account_added" if created else "account_changed", _name(instance), actor=_actor(), **flags)


def _account_deleted(sender: Any, instance: Model, **_: Any) -> None:
    audit.record("account_deleted", _name(instance), actor=_actor())

"""What the ticket pages of the staff console share: who may work, which ticket is meant, who else could take it.

Every view starts from `visible_to(request.user)`: a ticket that somebody may not see does not exist for them. The pages
themselves are in views_index (the list), views_ticket (one ticket), views_steps (what is done with it) and views_files.
"""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from desk import tickets
from desk.models import WAITING, Kind, Ticket


def may_work(user: AbstractBaseUser) -> bool:
    """Tell whether somebody works on tickets of any kind."""
    return user.has_perm("desk.work_press") or user.has_perm("desk.work_tickets")


def sees(user: AbstractBaseUser, kind: str) -> bool:
    """Tell whether somebody works on tickets of a kind."""
    return user.has_perm(permission(kind))


def permission(kind: str) -> str:
    """Return the permission that tickets of a kind ask for."""
    return "desk.work_press" if kind == Kind.PRESS else "desk.work_tickets"


def waiting_for(user: AbstractBaseUser) -> QuerySet[Ticket]:
    """Return the tickets a user may see that nobody has answered yet, the most urgent first."""
    return urgent_first(tickets.visible_to(user).filter(state__in=WAITING))


def urgent_first(rows: QuerySet[Ticket]) -> QuerySet[Ticket]:
    """Order tickets by deadline; those without one follow, the oldest first."""
    return rows.select_related("claimed_by", "department").order_by(F("deadline").asc(nulls_last=True), "created_at")


def the_ticket(request: HttpRequest, number: str) -> Ticket:
    """Return the ticket of an address; 404 when it does not exist or is not this person's to see."""
    rows = tickets.visible_to(request.user).select_related("conversation__taken_by", "claimed_by", "department")
    return get_object_or_404(rows, number=number)


def colleagues(ticket: Ticket) -> QuerySet[AbstractBaseUser]:
    """Return the people who may see a ticket, by name."""
    return get_user_model().objects.with_perm(permission(ticket.kind)).order_by("username")


def name_of(user: AbstractBaseUser | None) -> str:
    """Return how colleagues know somebody, "" for nobody."""
    return (user.get_full_name() or user.get_username()) if user else ""

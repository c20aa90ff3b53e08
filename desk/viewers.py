"""Who has a ticket's page open right now, so that two people do not write the same answer side by side.

Kept in Django's cache for some seconds, renewed by every poll of an open page, never in the database: it is worth
nothing a minute later. The default cache is this process's own memory; a console that runs as several processes needs
a shared one (docs/operations.md) to see everybody. The steps themselves do not rely on it.
"""

from __future__ import annotations

import time

from django.contrib.auth.models import AbstractBaseUser
from django.core.cache import cache

from desk.models import Ticket
from desk.views import name_of

# Three polls of an open page (static/desk/tickets.js); a hidden tab asks less often and drops out, rightly.
SEEN_FOR = 12


def look(ticket: Ticket, user: AbstractBaseUser) -> list[str]:
    """Note that somebody looks at a ticket and return the names of the others who do."""
    key, now = f"ticket-viewers:{ticket.pk}", time.time()
    seen = {pk: (at, name) for pk, (at, name) in cache.get(key, {}).items() if now - at < SEEN_FOR}
    others = sorted(name for pk, (_, name) in seen.items() if pk != user.pk)
    # Two polls at the same moment may lose one of them; that one is back with its next poll.
    cache.set(key, {**seen, user.pk: (now, name_of(user))}, SEEN_FOR)
    return others

"""What is to be posted in the staff group, written into the database: topics, lines of history, deliveries.

Each function is one short transaction, safe to repeat: a crash posts nothing twice and forgets nothing.
"""

from __future__ import annotations

from django.conf import settings
from django.db import transaction
from django.db.models import Max, OuterRef, Subquery

from bot.models import Author, Message
from bot.staff_group import words
from desk.models import Kind, Post, PostState, State, Ticket, TicketEvent, Topic


def chat_of(kind: str) -> int:
    """Return the group of a kind of ticket, 0 for none: press tickets never go to the general one."""
    return settings.STAFF_PRESS_CHAT_ID if kind == Kind.PRESS else settings.STAFF_CHAT_ID


def chats() -> list[int]:
    """Return the groups that are turned on."""
    return [chat for chat in dict.fromkeys((settings.STAFF_CHAT_ID, settings.STAFF_PRESS_CHAT_ID)) if chat]


def fill() -> None:
    """Queue everything that has happened since the last time."""
    _make_topics()
    for topic in _behind():
        _queue_lines(topic)
    _queue_deliveries()


def say(topic: Topic, text: str) -> Post:
    """Queue a text of our own: why something written in the group was not taken."""
    return Post.objects.create(topic=topic, text=words.cut(text))


def _make_topics() -> None:
    kinds = [kind for kind in Kind.values if chat_of(kind)]
    missing = Ticket.objects.filter(topic=None, kind__in=kinds).exclude(state=State.CLOSED)
    for ticket in missing.order_by("id")[:50]:
        Topic.objects.get_or_create(ticket=ticket, defaults={"chat_id": chat_of(ticket.kind)})


def _behind() -> list[Topic]:
    newest = TicketEvent.objects.filter(ticket=OuterRef("ticket")).order_by().values("ticket").annotate(id=Max("id"))
    rows = Topic.objects.annotate(newest=Subquery(newest.values("id")[:1])).select_related("ticket")
    return [topic for topic in rows.filter(chat_id__in=chats()) if topic.newest and topic.newest > topic.last_event]


def _queue_lines(topic: Topic) -> None:
    with transaction.atomic():
        locked = Topic.objects.select_for_update().get(pk=topic.pk)
        events = list(
            TicketEvent.objects.filter(ticket=topic.ticket_id, pk__gt=locked.last_event)
            .select_related("actor", "ticket__claimed_by")
            .order_by("id")
        )
        if not events:
            return
        # What was written in the group stands there already.
        known = set(Post.objects.filter(topic=locked, event__in=events).values_list("event_id", flat=True))
        for event in events:
            if event.pk not in known:
                first = event.type == TicketEvent.Type.OPENED
                text = words.header(event.ticket) if first else words.line(event)
                Post.objects.create(topic=locked, event=event, message=event.message, text=text)
        Topic.objects.filter(pk=locked.pk).update(last_event=events[-1].pk)


def _queue_deliveries() -> None:
    ended = Message.objects.filter(
        author=Author.STAFF, ticket__topic__chat_id__in=chats(), state__in=list(words.DELIVERIES)
    )
    # The last word that was posted about a message; it may change (uncertain, then delivered by hand).
    told = Post.objects.filter(message=OuterRef("pk"), event=None).order_by("-id").values("text")[:1]
    for message in ended.annotate(told=Subquery(told)).select_related("ticket__topic"):
        if message.told != words.delivery(message):
            Post.objects.create(topic=message.ticket.topic, message=message, text=words.delivery(message))


def waiting(limit: int = 50) -> list[int]:
    """Return the topics that have something to post, the oldest post first."""
    rows = Post.objects.filter(state=PostState.QUEUED, topic__chat_id__in=chats()).order_by("id")
    return list(dict.fromkeys(rows.values_list("topic_id", flat=True)[: 10 * limit]))[:limit]

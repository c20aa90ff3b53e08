"""From an answer to a draft of a knowledge entry, so that the next who asks need not wait for a person.

Nothing of it is published: an editor writes the question as people ask it, adds sources and checks the answer. Editors
see every draft, and need not be allowed to see the ticket: what would tell who asked stays behind, and of a press
ticket the asker's words stay behind altogether; only the released answer goes along.
"""

from __future__ import annotations

import re

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from desk.models import Answer, AnswerState, Kind, Ticket, TicketEvent
from desk.redaction import GONE, stripped
from desk.tickets import TicketError, event, lock
from desk.views import sees
from knowledge.models import Category, Entry, Translation
from nlu.languages import SOURCE

CATEGORIES = {
    Kind.PRESS: Category.PRESS,
    Kind.INVESTMENT: Category.INVESTMENT,
    Kind.COMPLAINT: Category.ADMINISTRATION,
}
TO_BE_WRITTEN = {
    "vi": "[Viết câu hỏi ở đây]",
    "en": "[Write the question here]",
    "zh": "[请在此填写问题]",
    "ko": "[여기에 질문을 쓰세요]",
    "ja": "[ここに質問を書いてください]",
    "fr": "[Écrivez la question ici]",
    "ru": "[Напишите вопрос здесь]",
}
MAX_QUESTION = 300


def may_draft(user: AbstractBaseUser, ticket: Ticket) -> bool:
    """Tell whether somebody may make a draft from a ticket's answers; a press ticket asks for both rights."""
    return sees(user, ticket.kind) and (ticket.kind != Kind.PRESS or _edits(user))


def _edits(user: AbstractBaseUser) -> bool:
    return user.has_perms(("knowledge.add_entry", "knowledge.add_translation"))


def drafted(ticket: Ticket) -> dict[int, int]:
    """Return which answers of a ticket became a draft: answer key → entry key."""
    lines = ticket.events.filter(type=TicketEvent.Type.DRAFTED).values_list("data", flat=True)
    return {data["answer"]: data["entry"] for data in lines if "answer" in data}


def draft(written: Answer, user: AbstractBaseUser) -> Entry:
    """Make an unpublished entry with the texts of a released answer and return it; asked again, the same one.

    Raises TicketError when the answer is not released, the person may not, or the ticket has no office to own it.
    """
    with transaction.atomic():
        ticket = lock(written.ticket)
        if not may_draft(user, ticket):
            raise TicketError("Bạn không có quyền tạo mục kiến thức. / You may not make knowledge entries from this.")
        if written.state != AnswerState.RELEASED:
            raise TicketError("Câu trả lời chưa được duyệt. / The answer is not released.")
        there = Entry.objects.filter(pk=drafted(ticket).get(written.pk)).first()
        if there is not None:
            return there
        if ticket.department is None:
            raise TicketError("Hãy chọn cơ quan phụ trách trước. / Choose the office in charge first.")
        entry = Entry(
            slug=_slug(written), category=CATEGORIES.get(ticket.kind, Category.PRACTICAL),
            department=ticket.department, verified_on=timezone.localdate(), live=False, has_unpublished_changes=True,
        )  # fmt: skip
        entry.save()
        entry.save_revision(user=user, log_action=True)
        for row in _texts(entry, ticket, written):
            row.save()
            row.save_revision(user=user, log_action=True)
        event(ticket, TicketEvent.Type.DRAFTED, user, entry.slug, answer=written.pk, entry=entry.pk)
    return entry


def _slug(written: Answer) -> str:
    """Return a name that nobody has yet: an editor may have renamed or removed what was made before."""
    name = f"draft-{written.ticket.number.lower()}-{written.pk}"
    taken = set(Entry.objects.filter(slug__startswith=name).values_list("slug", flat=True))
    return next(each for each in (name, *(f"{name}-{more}" for more in range(2, 1000))) if each not in taken)


def _texts(entry: Entry, ticket: Ticket, written: Answer) -> list[Translation]:
    """Return the Vietnamese original, where there is one, and the text in the asker's language after it."""
    texts = {SOURCE: written.text_vi, ticket.language: written.text}
    original = SOURCE if texts[SOURCE] else ticket.language
    rows = []
    for language in filter(texts.get, texts):
        rows.append(
            Translation(
                entry=entry, language=language, answer=texts[language], live=False, has_unpublished_changes=True,
                question=_question(ticket) if language == ticket.language else TO_BE_WRITTEN[language],
                source_language="" if language == original else original,
                source_version=None if language == original else 1,
            )
        )  # fmt: skip
    return rows


def _question(ticket: Ticket) -> str:
    if ticket.kind == Kind.PRESS:
        return TO_BE_WRITTEN[ticket.language]
    text = stripped(ticket.words)
    # What the form knows about the person may stand in their words too.
    for name in ("name", "contact", "outlet", "place"):
        value = next((str(each) for key, each in ticket.fields.items() if key.endswith(name) and each), "")
        if len(value) > 1:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", GONE, text, flags=re.IGNORECASE)
    return text if len(text) <= MAX_QUESTION else f"{text[: MAX_QUESTION - 1].rstrip()}{GONE}"

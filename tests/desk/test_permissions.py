"""Who may do what: docs/permissions.md is the table, and here each of its cells is asked for through the web.

And what no table shows: nothing of a press ticket reaches an editor by any address of the console, nor anybody by the
public API.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.messages import constants, get_messages
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import NoReverseMatch, get_resolver, reverse
from django.urls.resolvers import URLResolver
from starlette.testclient import TestClient
from wagtail.documents import get_document_model

from bot.models import Author, Conversation, Delivery, Message, Turn
from desk import answers, assignments, gaps, pauses, staging, tickets
from desk.management.commands.setup_roles import ROLES
from desk.models import CannedReply, Colleague, FileState, Ticket, TicketFile
from knowledge.cases import should_match
from knowledge.models import Department, Member

TABLE = Path(__file__).resolve().parents[2] / "docs" / "permissions.md"
ROLE_NAMES = ("nobody", *ROLES, "admin")
KINDS = ("press", "complaint")
LISTS = ("list", "add", "edit", "delete", "history", "usage")
SNIPPETS = (
    "knowledge_entry", "knowledge_translation", "knowledge_evaluationcase", "knowledge_department", "knowledge_member",
    "desk_cannedreply", "desk_colleague",
)  # fmt: skip
PAGES = {
    "console": "wagtailadmin_home",
    "ticket list": "desk_tickets:index",
    "ticket list, changes": "desk_tickets:changed",
    "audit log": "desk_audit:index",
    "audit log, export": "desk_audit:export",
    "pause": "desk_pauses:index",
    "try it": "knowledge_try:index",
    "translations": "knowledge_translations:index",
    "translations, table": "knowledge_translations:table",
    "asked in vain": "desk_gaps:index",
    "editing guide": "knowledge_guide",
    "practice": "knowledge_practice:index",
    "quality": "desk_quality:index",
    "import and export": "desk_exchange:index",
    "export, table": "desk_exchange:table",
    "export, files": "desk_exchange:files",
    "documents": "wagtaildocs:index",
    "documents, add": "wagtaildocs:add",
    "images": "wagtailimages:index",
    "users": "wagtailusers_users:index",
    "users, add": "wagtailusers_users:add",
    "groups": "wagtailusers_groups:index",
    "site history": "wagtailadmin_reports:site_history",
    "workflow report": "wagtailadmin_reports:workflow",
    "workflow tasks report": "wagtailadmin_reports:workflow_tasks",
    "workflows": "wagtailadmin_workflows:index",
    "collections": "wagtailadmin_collections:index",
    "sites": "wagtailsites:index",
    "pages, search": "wagtailadmin_pages:search",
    "choose an entry": "wagtailsnippetchoosers_knowledge_entry:choose",
    "choose a document": "wagtaildocs_chooser:choose",
}


class World:
    """Two sets of tickets, press and complaints, in every state that a step needs, and the rest of the console."""

    def __init__(self, entry, root):
        call_command("setup_roles", verbosity=0)
        self.people = {name: self.make(name) for name in (*ROLES, "admin")}
        # A head of their own, so that no role meets its own answers and claims.
        self.author = self.make("chief", "head")
        self.entry, self.translation = entry, entry.translations.first()
        self.office = Department.objects.create(
            slug="office", name_vi="Văn phòng", name_en="Office", handles=["press", "complaint"]
        )
        self.reply = CannedReply.objects.first()
        self.colleague = Colleague.objects.create(user=self.author, telegram_id=4711)
        self.root = root
        self.requests, self.browsers = {}, {}
        for action, name in PAGES.items():
            self.requests[action] = ("get", reverse(name), {})
        case, _ = should_match("May I bring a dog?", "en", entry, self.author)
        member = Member.objects.create(user=self.author, department=entry.department)
        everything = (entry, self.translation, case, self.office, member, self.reply, self.colleague)
        objects = dict(zip(SNIPPETS, everything, strict=True))
        for model, each in objects.items():
            for name in LISTS:
                arguments = [] if name in ("list", "add") else [each.pk]
                label = f"{model.split('_')[1]}, {name}"
                self.requests[label] = ("get", reverse(f"wagtailsnippets_{model}:{name}", args=arguments), {})
        for name in ("unpublish", "lock"):
            address = reverse(f"wagtailsnippets_knowledge_translation:{name}", args=[self.translation.pk])
            self.requests[f"translation, {name}"] = ("post", address, {})
        self.requests["try it, case"] = (
            "post", reverse("knowledge_try:case"), {"text": "Is it free?", "language": "en", "entry": entry.slug}
        )  # fmt: skip
        self.requests["try it, changes"] = ("get", reverse("knowledge_try:changes", args=[self.translation.pk]), {})
        for step in ("begin", "end"):
            self.requests[f"practice, {step}"] = ("post", reverse(f"knowledge_practice:{step}"), {})
        self.requests["asked in vain, again"] = ("post", reverse("desk_gaps:again"), {})
        turn = Turn.objects.create(
            conversation=Conversation.objects.create(channel="web", chat_id="vain"), text="a gym?", language="en",
            outcome="not_known",
        )  # fmt: skip
        self.requests["asked in vain, dismiss"] = (
            "post", reverse("desk_gaps:act", args=["dismiss"]), {"turns": str(turn.pk), "reason": "x"}
        )  # fmt: skip
        self.requests["quality, again"] = ("post", reverse("desk_quality:again"), {})
        self.add_exchange()
        running = pauses.begin("food", "fault", "x", self.author)
        for step, arguments, data in (
            ("begin", [], {"category": "city", "reason": "fault", "note": "x"}), ("end", [running.pk], {}),
            ("withdraw", [], {"entry": entry.slug, "note": "x"}),
        ):  # fmt: skip
            self.requests[f"pause, {step}"] = ("post", reverse(f"desk_pauses:{step}", args=arguments), data)
        for kind in KINDS:
            self.add_tickets(kind)

    def make(self, name, role=None):
        user = get_user_model().objects.create(username=name, is_superuser=name == "admin", is_staff=name == "admin")
        if name != "admin":
            user.groups.add(Group.objects.get(name=ROLES[role or name][0]))
        return user

    def ticket(self, kind, conversation, **more):
        return tickets.open_ticket(kind, conversation=conversation, language="en", words="zyxwords77", **more)

    def add_tickets(self, kind):
        chat = Conversation.objects.create(channel="web", chat_id=f"{kind}-1", language="en")
        Message.objects.create(conversation=chat, author=Author.USER, text="zyxtalk77", state=Delivery.DELIVERED)
        fields = {"name": "zyxfield77", "deadline": "none"}
        new, twin = self.ticket(kind, chat, fields=fields), self.ticket(kind, chat, fields=fields)
        tickets.note(new, self.author, "zyxnote77")
        file = TicketFile.objects.create(
            ticket=new, conversation=chat, state=FileState.STORED, name="zyxfile77.pdf", path="zyx.pdf", size=9,
            content_type="application/pdf", sha256="zyxhash77",
        )  # fmt: skip
        (self.root / "zyx.pdf").write_bytes(b"zyxbytes77")
        chats = [
            Conversation.objects.create(channel="web", chat_id=f"{kind}-{number}", language="en") for number in range(5)
            if number != 1
        ]  # fmt: skip
        held, done, closed, sent = (self.ticket(kind, each) for each in chats)
        proposed = answers.answer(held, self.author, "zyxanswer77", "zyxvi77")
        given = answers.answer(done, self.author, "zyxanswer77", "zyxvi77")
        if kind == "press":
            answers.release(given, self.people["head"])
        tickets.close(closed, self.author)
        tickets.take_over(sent, self.author)
        assignments.set_deadline(sent, self.author, None)
        self.tickets = [*getattr(self, "tickets", []), new]
        steps = {
            "claim": (new, {}), "answer": (new, {"text": "Yes.", "text_vi": "Có."}),
            "release": (held, {"answer": proposed.pk}),
            "send-back": (held, {"answer": proposed.pk, "reason": "Too short."}),
            "edit": (done, {"answer": given.pk, "text": "No.", "text_vi": "Không."}),
            "note": (new, {"text": "x"}), "assign": (new, {"holder": self.author.pk}),
            "assign, held by another": (held, {"holder": self.author_twin().pk}),
            "department": (new, {"department": self.office.pk}), "deadline": (new, {"deadline": "2099-01-01T10:00"}),
            "merge": (twin, {"into": new.number}), "take-over": (new, {}), "give-back": (sent, {}),
            "close": (new, {}), "reopen": (closed, {}),
        }  # fmt: skip
        for step, (each, data) in steps.items():
            if kind != "press" and step in ("release", "send-back"):
                continue  # such answers wait for nobody
            address = reverse("desk_tickets:act", args=[each.number, step.split(",")[0]])
            self.requests[f"{kind}: {step}"] = ("post", address, data)
        for name, method, data in (
            ("detail", "get", {}), ("updates", "get", {}), ("here", "get", {}), ("export", "post", {}),
        ):  # fmt: skip
            self.requests[f"{kind}: {name}"] = (method, reverse(f"desk_tickets:{name}", args=[new.number]), data)
        self.requests[f"{kind}: file"] = ("get", reverse("desk_tickets:file", args=[new.number, file.pk]), {})
        self.requests[f"{kind}: draft"] = (
            "post", reverse("desk_tickets:draft", args=[done.number]), {"answer": given.pk},
        )  # fmt: skip

    def add_exchange(self):
        options = {"language": "vi", "category": "city", "department": self.office.slug}
        page = "<h2>Có mấy cây cầu?</h2><p>Có ba.</p>"
        token = staging.keep("page.html", page.encode(), options)
        requests = {
            "export, missing": ("get", reverse("desk_exchange:missing") + "?language=ko", {}),
            "import, upload": ("post", reverse("desk_exchange:upload"), options),
            "import, preview": ("get", reverse("desk_exchange:preview", args=[token]), {}),
            "import, confirm": ("post", reverse("desk_exchange:confirm", args=[token]), {}),
        }
        self.requests |= requests
        self.page = page

    def author_twin(self):
        return get_user_model().objects.filter(username="twin").first() or self.make("twin", "head")

    def browser(self, role):
        if role not in self.browsers:
            self.browsers[role] = Client()  # each reads all its middleware: not one a request
            if role != "nobody":
                self.browsers[role].force_login(self.people[role])
        return self.browsers[role]

    def ask(self, role, action):
        """Do one thing as somebody, take it back, and return what came of it as the table says it."""
        method, address, data = self.requests[action]
        if action == "import, upload":  # a file is read once
            data = {**data, "file": SimpleUploadedFile("page.html", self.page.encode())}
        browser = self.browser(role)
        browser.cookies.pop("messages", None)  # what an earlier page said
        with transaction.atomic():
            answer = getattr(browser, method)(address, data)
            levels = [each.level for each in get_messages(answer.wsgi_request)]
            read(answer)
            transaction.set_rollback(True)
        if answer.status_code in (301, 302):
            if answer.headers["Location"].startswith(reverse("wagtailadmin_login")):
                return "login"
            return "refused" if constants.ERROR in levels else "yes"
        return "yes" if answer.status_code in (200, 204) else str(answer.status_code)


@pytest.fixture
def world(entry, settings, tmp_path, monkeypatch):
    settings.FILES_ROOT = tmp_path.resolve()
    settings.GAPS_REPORT = tmp_path / "gaps.json"
    monkeypatch.setattr(gaps, "_grouped", lambda questions: [[place] for place in range(len(questions))])
    settings.EXCHANGE_ROOT = tmp_path / "exchange"
    return World(entry, tmp_path)


def table():
    """Return action → role → what comes of it, as docs/permissions.md says."""
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in TABLE.read_text("utf-8").splitlines()
            if line.startswith("|")]  # fmt: skip
    roles = rows[0][1:]
    return {row[0].strip("`"): dict(zip(roles, row[1:], strict=True)) for row in rows[2:]}


def test_each_cell_of_the_table_is_true(world):
    said = table()
    assert list(said) == list(world.requests), "an action without a row, or a row without an action"
    found = {action: {role: world.ask(role, action) for role in ROLE_NAMES} for action in world.requests}
    assert {k: v for k, v in found.items() if v != said[k]} == {k: v for k, v in said.items() if v != found[k]}


def test_every_page_of_ours_is_in_the_table(world):
    asked = {re.sub(r"\?.*", "", address) for _, address, _ in world.requests.values()}
    names = {get_resolver().resolve(address).view_name for address in asked}
    ours = {
        name for name, _ in patterns(get_resolver())
        if name.startswith(("desk_", "knowledge_"))
        or (name.startswith("wagtailsnippets_") and name.split(":")[1] in LISTS)
    }  # fmt: skip
    assert ours - names == set()


def test_nobody_is_listed_by_a_chooser_that_asks_for_no_right():
    """Wagtail's choosers ask only for the console; those of canned replies and of colleagues are not there."""
    assert [name for name, _ in patterns(get_resolver()) if name.startswith("wagtailsnippetchoosers_desk_")] == []


# --- nothing of the press for an editor -----------------------------------------------------------------------------
def patterns(resolver, namespace="", before=()):
    """Return name and path patterns of every address."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            inner = f"{namespace}{each.namespace}:" if each.namespace else namespace
            yield from patterns(each, inner, (*before, each))
        elif each.name:
            yield namespace + each.name, (*before, each)


def addresses(world):
    """Return every address that can be made with the keys of what there is."""
    press = Ticket.objects.filter(kind="press").order_by("pk").first()
    keys = sorted({press.pk, press.files.get().pk, world.entry.pk, world.translation.pk, world.people["editor"].pk})
    words = {
        "number": [press.number], "step": ["note", "export"], "app_label": ["desk"], "model_name": ["ticket"],
        "app_name": ["desk"], "field": ["words"], "action": ["delete"], "action_name": ["approve"],
    }  # fmt: skip
    for name, path in patterns(get_resolver()):
        parameters = [(key, str(converter)) for part in path for key, converter in part.pattern.converters.items()]
        choices = [words.get(key) or keys for key, _ in parameters]
        for values in itertools.islice(itertools.product(*choices), 4):
            try:
                address = reverse(name, kwargs={key: value for (key, _), value in zip(parameters, values, strict=True)})
            except NoReverseMatch:
                continue
            if "logout" not in address:
                yield address


def test_no_word_of_a_press_ticket_reaches_an_editor_by_any_address(world):
    get_document_model().objects.create(title="Plan", file=ContentFile(b"x", "plan.txt"))
    Ticket.objects.filter(kind="complaint").update(words="")  # the same words, which are not looked for
    browser = Client(raise_request_exception=False)
    browser.force_login(world.people["editor"])
    asked, leaks = 0, set()
    for address in addresses(world):
        # What shows one thing searches nothing.
        for query in ("", "?q=zyx&query=zyx&s=zyx") if not re.search(r"/\d+/", address) else ("",):
            answer = browser.get(address + query)
            asked += 1
            if re.search(rb"zyx\w*77", read(answer)):
                leaks.add(address)
    assert leaks == set()
    assert asked > 300


def test_the_crawl_would_find_a_leak(world):
    """The same search as somebody who may see press tickets: it finds what it looks for."""
    browser = Client(raise_request_exception=False)
    browser.force_login(world.people["press"])
    found = {address for address in addresses(world) if address.startswith("/tickets/")
             and re.search(rb"zyx\w*77", read(browser.get(address)))}  # fmt: skip
    number = Ticket.objects.filter(kind="press").order_by("pk").first().number
    assert {reverse("desk_tickets:detail", args=[number]), reverse("desk_tickets:updates", args=[number])} <= found


def read(answer):
    return b"".join(answer.streaming_content) if answer.streaming else answer.content


@pytest.mark.django_db(transaction=True)
def test_no_word_of_a_press_ticket_is_in_the_public_api(world, settings):
    from bot import api
    from bot.app import build_app

    app = build_app()  # not entered: nothing need run beside it but this
    app.state.limiter = api.Limiter("1000/minute", "memory://")
    client = TestClient(app, raise_server_exceptions=False)
    chat = Conversation.objects.get(channel="web", chat_id="press-1")
    number = Ticket.objects.filter(kind="press").order_by("pk").first().number
    # Without a key, and with what staff, Rasa or the asker's papers call the chat.
    keys = [{}, *({"conversation": str(each)} for each in (chat.pk, chat.uuid, number, "press", "0" * 32))]
    pages = ("/", "/embed", "/widget.js", "/api/texts", "/api/topics", "/api/openapi.json", "/api/messages",
             "/api/mydata", "/healthz", f"/files/{number}", "/static/../zyx.pdf")  # fmt: skip
    for page, key in itertools.product(pages, keys):
        assert not re.search(r"zyx\w*77", client.get(page, params=key).text), page
    # The asker, who alone has the key, is told what is held.
    assert "zyxtalk77" in client.get("/api/mydata", params={"conversation": "press-1"}).text

"""The worker and the console's server as processes see them: rounds, health, a clean end."""

from __future__ import annotations

import datetime as dt
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from io import StringIO

import httpx
import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from bot.models import Author, Button, Delivery, Message
from desk.management.commands.worker import Command
from desk.settings import BASE_DIR


def test_a_round_publishes_and_expires_what_is_due(entry, caplog):
    caplog.set_level(logging.INFO, logger="worker")
    text = entry.translations.get(language="vi")
    text.answer, text.go_live_at = "from today", timezone.now() + dt.timedelta(hours=1)
    text.save_revision().publish()
    past = timezone.now() - dt.timedelta(minutes=1)
    revision = text.revisions.get(approved_go_live_at__isnull=False)
    revision.content["go_live_at"], revision.approved_go_live_at = past.isoformat(), past
    revision.save()
    entry.translations.filter(language="en").update(expire_at=past)
    call_command("worker", "--once", stdout=StringIO())
    text.refresh_from_db()
    assert (text.answer, text.version) == ("from today", 2)
    assert entry.translations.get(language="en").live is False
    assert [record.getMessage() for record in caplog.records] == [
        "Published 1 scheduled texts",
        "Expired 1 scheduled texts",
    ]


def test_a_sending_that_broke_off_becomes_uncertain_while_the_bot_is_down(conversation, caplog):
    caplog.set_level(logging.INFO, logger="worker")
    now = timezone.now()
    lost, under_way = (
        Message.objects.create(
            conversation=conversation, author=Author.STAFF, text="x", state=Delivery.SENDING, not_before=time
        )
        for time in (now - dt.timedelta(seconds=1), now + dt.timedelta(minutes=4))
    )
    Command().round()
    lost.refresh_from_db()
    under_way.refresh_from_db()
    assert (lost.state, under_way.state) == (Delivery.UNCERTAIN, Delivery.SENDING)
    assert "Marked 1 messages as uncertain: their sending broke off" in caplog.messages


def test_a_round_erases_what_is_over_and_is_silent_when_nothing_is_due(conversation, caplog):
    caplog.set_level(logging.INFO, logger="worker")
    Command().round()
    assert caplog.messages == []
    Button.objects.create(conversation=conversation, label="x", payload="/x")
    Button.objects.update(created_at=timezone.now() - dt.timedelta(days=31))
    Command().round()
    assert caplog.messages == ["Retention: erased {'buttons': 1}"]


def test_the_worker_outlives_a_locked_database(db, monkeypatch, caplog):
    def locked(_):
        raise OperationalError("database is locked")

    monkeypatch.setattr(Command, "round", locked)
    call_command("worker", "--once")
    assert "database is locked" in caplog.text


def test_health_asks_the_database(client, db, monkeypatch):
    assert client.get("/healthz").json() == {"status": "ok"}

    def gone():
        raise OperationalError("server closed the connection at host db.internal")

    with monkeypatch.context() as patch:
        patch.setattr("desk.urls.connection.cursor", gone)
        response = client.get("/healthz")
    assert (response.status_code, response.json()) == (503, {"status": "database"})


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """A console's environment with a database of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    variables = {name: value for name, value in os.environ.items() if not name.startswith("CITYDESK_")}
    variables |= {"CITYDESK_VAR": str(tmp_path_factory.mktemp("var")), "CITYDESK_DESK_PORT": str(port)}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "-v0"], cwd=BASE_DIR, env=variables, check=True, timeout=200
    )
    return variables


def test_the_server_serves_and_ends_cleanly(environment):
    address = f"http://127.0.0.1:{environment['CITYDESK_DESK_PORT']}"
    server = subprocess.Popen([sys.executable, "-m", "desk.server"], cwd=BASE_DIR, env=environment)
    try:
        for _ in range(300):
            try:
                health = httpx.get(f"{address}/healthz")
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        assert health.json() == {"status": "ok"}
        style = httpx.get(f"{address}/static/desk/tickets.css")
        assert (style.status_code, style.headers["Content-Type"]) == (200, 'text/css; charset="utf-8"')
        assert httpx.get(f"{address}/tickets/").headers["Location"].startswith("/login/")
    finally:
        server.send_signal(signal.SIGTERM)
        code = server.wait(20)
    assert code == 0


def test_the_worker_ends_cleanly(environment):
    command = [sys.executable, "manage.py", "worker", "--seconds", "60"]
    with subprocess.Popen(command, cwd=BASE_DIR, env=environment, stderr=subprocess.PIPE, text=True) as worker:
        assert "Working every 60 s" in worker.stderr.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(20) == 0

"""The audit log: a chain that only grows, and a check that finds every way of tampering with it."""

from __future__ import annotations

import contextlib
import csv
import json
import threading
from io import StringIO

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from desk import audit, audit_guard, tickets
from desk.audit_check import verify
from desk.models import AuditHead, AuditRecord, State, Ticket, TicketEvent


def sql(statement, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def tamper(statement, *parameters):
    """Do what somebody with the database's password could do."""
    with audit_guard.down(connection):
        sql(statement, *parameters)


def actions(**filters):
    return list(AuditRecord.objects.filter(**filters).values_list("action", flat=True))


@pytest.fixture
def chain(db):
    return [audit.record("tested", f"T-{number}", number=number) for number in range(1, 7)]


# --- only growing ---------------------------------------------------------------------------------------------------
def test_a_record_is_added_with_the_hash_of_the_one_before(chain):
    rows = list(AuditRecord.objects.order_by("sequence"))
    assert [row.sequence for row in rows] == list(range(1, len(rows) + 1))
    assert rows[0].previous == audit.START
    for before, row in zip(rows, rows[1:], strict=False):
        assert row.previous == before.hash == audit.hash_of(before)
    head = AuditHead.objects.get()
    assert (head.count, head.hash) == (rows[-1].sequence, rows[-1].hash)


@pytest.mark.parametrize("change", [
    lambda row: row.save(),
    lambda row: row.delete(),
    lambda row: AuditRecord.objects.filter(pk=row.pk).update(action="x"),
    lambda row: AuditRecord.objects.filter(pk=row.pk).delete(),
    lambda row: AuditRecord.objects.bulk_update([row], ["action"]),
])  # fmt: skip
def test_the_model_refuses_to_change_or_remove(chain, change):
    with pytest.raises(TypeError, match="append-only"):
        change(chain[2])
    assert verify().faults == []


@pytest.mark.parametrize("statement", [
    "UPDATE desk_auditrecord SET actor = 'somebody' WHERE sequence = 3",
    "DELETE FROM desk_auditrecord WHERE sequence = 3",
    "DELETE FROM desk_auditrecord",
    "UPDATE desk_audithead SET count = count - 1",
    "DELETE FROM desk_audithead",
])  # fmt: skip
def test_the_database_refuses_too(chain, statement):
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql(statement)
    assert verify().faults == []


def test_the_guard_is_put_up_again_after_a_migration(chain):
    audit_guard.take_down(connection)
    call_command("migrate", verbosity=0)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        sql("DELETE FROM desk_auditrecord")


def test_production_is_never_flushed(db, settings):
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="audit log"):
        call_command("flush", interactive=False)


def test_what_json_cannot_hold_is_refused_and_what_it_changes_still_verifies(db):
    with pytest.raises(TypeError):
        audit.record("tested", "x", thing=object())
    audit.record("tested", "x" * 500, a=(1, 2), b={1: 1e20, 2: 0.1}, c="Mỹ Tho 🛶", d=None, e=[{"f": True}])
    assert verify().faults == []


def test_a_step_that_is_rolled_back_leaves_no_record(ticket, press):
    before = AuditRecord.objects.count()
    with contextlib.suppress(ZeroDivisionError), transaction.atomic():
        tickets.claim(ticket, press)
        assert AuditRecord.objects.count() == before + 1
        raise ZeroDivisionError
    assert AuditRecord.objects.count() == before
    assert AuditHead.objects.get().count == before
    tickets.claim(ticket, press)
    assert AuditRecord.objects.last().sequence == before + 1
    assert verify().faults == []


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_make_one_chain_without_gaps():
    failed = []

    def write(name):
        try:
            for number in range(25):
                audit.record("tested", name, number=number)
        except Exception as error:  # noqa: BLE001 - told by the assertion below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(f"thread-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    rows = AuditRecord.objects.filter(action="tested")
    assert rows.count() == 200
    for number in range(8):
        own = [row.data["number"] for row in rows.filter(subject=f"thread-{number}").order_by("sequence")]
        assert own == list(range(25))
    report = verify()
    assert (report.records, report.faults) == (AuditRecord.objects.count(), [])


# --- tampering ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("column", "value"), [
    ("actor", "'other'"), ("action", "'other'"), ("subject", "'other'"), ("press", "NOT press"),
    ("at", "'2020-01-01 00:00:00+00:00'"), ("data", "'{\"number\": 99}'"), ("hash", f"'{'0' * 64}'"),
])  # fmt: skip
def test_a_changed_record_is_found(chain, column, value):
    tamper(f"UPDATE desk_auditrecord SET {column} = {value} WHERE sequence = %s", chain[2].sequence)
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("changed", str(chain[2].sequence))


def test_a_changed_record_with_a_new_hash_is_found_by_the_next(chain):
    row = AuditRecord.objects.get(pk=chain[2].pk)
    row.actor = "somebody else"
    tamper("UPDATE desk_auditrecord SET actor = %s, hash = %s WHERE id = %s", row.actor, audit.hash_of(row), row.pk)
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("changed", str(row.sequence))


def test_a_changed_last_record_with_a_new_hash_is_found_by_the_head(chain):
    row = AuditRecord.objects.get(pk=chain[-1].pk)
    row.actor = "somebody else"
    tamper("UPDATE desk_auditrecord SET actor = %s, hash = %s WHERE id = %s", row.actor, audit.hash_of(row), row.pk)
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("changed", str(row.sequence))


@pytest.mark.parametrize("place", [0, 2])
def test_a_removed_record_is_found(chain, place):
    row = chain[place]
    tamper("DELETE FROM desk_auditrecord WHERE id = %s", row.pk)
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("removed", str(row.sequence))


def test_a_record_removed_with_the_later_ones_renumbered_is_found(chain):
    with audit_guard.down(connection):
        sql("DELETE FROM desk_auditrecord WHERE id = %s", chain[2].pk)
        for row in chain[3:]:
            sql("UPDATE desk_auditrecord SET sequence = sequence - 1 WHERE id = %s", row.pk)
    assert [fault.place for fault in verify().faults] == [str(chain[2].sequence)]


def test_a_record_put_in_between_is_found(chain):
    false = AuditRecord(
        sequence=chain[3].sequence, at=chain[3].at, actor="", action="viewed", subject="T-9", data={},
        previous=chain[2].hash,
    )  # fmt: skip
    false.hash = audit.hash_of(false)
    with audit_guard.down(connection):
        for row in reversed(chain[3:]):
            sql("UPDATE desk_auditrecord SET sequence = sequence + 1 WHERE id = %s", row.pk)
        false.save()
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("inserted", str(false.sequence))


def test_a_record_put_in_at_the_end_is_found(chain):
    false = AuditRecord(
        sequence=chain[-1].sequence + 1, at=chain[-1].at, action="viewed", subject="T-9", previous=chain[-1].hash
    )
    false.hash = audit.hash_of(false)
    false.save()  # adding is what the database allows: only the head, which the step moves on, tells
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("inserted", str(false.sequence))


def test_a_cut_tail_is_found(chain):
    tamper("DELETE FROM desk_auditrecord WHERE sequence >= %s", chain[4].sequence)
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("tail", str(chain[4].sequence))


def test_a_log_rewritten_as_a_whole_fits_itself_but_not_what_was_noted(chain):
    noted = verify()
    with audit_guard.down(connection):
        rows, previous = list(AuditRecord.objects.order_by("sequence")), audit.START
        rows[2].actor = "somebody else"
        for row in rows:
            row.previous = previous
            previous = row.hash = audit.hash_of(row)
            sql("UPDATE desk_auditrecord SET actor = %s, previous = %s, hash = %s WHERE id = %s",
                row.actor, row.previous, row.hash, row.pk)  # fmt: skip
        sql("UPDATE desk_audithead SET hash = %s", previous)
    assert verify().faults == []
    [fault] = verify((noted.records, noted.hash)).faults
    assert fault.kind == "rewritten"


# --- tickets against the log ----------------------------------------------------------------------------------------
def test_a_changed_line_of_a_ticket_is_found(ticket, press):
    tickets.note(ticket, press, "Call back at ten.")
    assert verify().faults == []
    TicketEvent.objects.filter(text="Call back at ten.").update(text="Call back at noon.")
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("event_changed", ticket.number)


def test_a_line_moved_to_another_ticket_or_type_is_found(ticket, complaint, press):
    tickets.note(ticket, press, "x")
    line = TicketEvent.objects.last()
    TicketEvent.objects.filter(pk=line.pk).update(ticket=complaint)
    assert [fault.kind for fault in verify().faults] == ["event_changed"]
    TicketEvent.objects.filter(pk=line.pk).update(ticket=ticket, type="closed")
    assert [fault.kind for fault in verify().faults] == ["event_changed"]


@pytest.mark.parametrize("last", [True, False])
def test_a_removed_line_is_found(ticket, press, last):
    tickets.note(ticket, press, "x")
    if not last:
        tickets.note(ticket, press, "y")
    TicketEvent.objects.filter(text="x").delete()
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("event_removed", ticket.number)


def test_a_line_without_a_record_is_found(ticket):
    TicketEvent.objects.create(ticket=ticket, type="note", text="never happened")
    [fault] = verify().faults
    assert (fault.kind, fault.place) == ("event_unrecorded", ticket.number)


def test_an_erased_ticket_fits_still(ticket, press):
    from desk.erasure import erase_ticket

    tickets.note(ticket, press, "She called.")
    tickets.close(ticket, press)
    assert erase_ticket(Ticket.objects.get(pk=ticket.pk))
    assert TicketEvent.objects.filter(type="note").get().text == ""
    assert verify().faults == []
    # Only blanking is erasing: another text in its place is tampering.
    TicketEvent.objects.filter(type="note").update(text="She agreed.")
    assert [fault.kind for fault in verify().faults] == ["event_changed"]


def test_the_command_says_what_is_broken_and_ends_with_1(chain):
    out = StringIO()
    call_command("verify_audit", stdout=out)
    last = chain[-1]
    assert out.getvalue().splitlines()[-1] == f"last: {last.sequence}:{last.hash}"
    call_command("verify_audit", "--noted", f"{chain[1].sequence}:{chain[1].hash}", stdout=StringIO())
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--noted", f"{chain[1].sequence}:{'0' * 64}", stdout=StringIO())
    assert ended.value.code == 1
    with pytest.raises(CommandError, match="NUMBER:HASH"):
        call_command("verify_audit", "--noted", "7")
    tamper("DELETE FROM desk_auditrecord WHERE id = %s", chain[2].pk)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", "--json", stdout=out)
    assert ended.value.code == 1
    told = json.loads(out.getvalue())
    assert (told["ok"], told["faults"][0]["kind"]) == (False, "removed")


# --- what is recorded -----------------------------------------------------------------------------------------------
def test_a_ticket_from_its_first_line_to_its_closing_is_recorded_without_a_word_of_it(ticket, press, released):
    tickets.claim(ticket, press)
    tickets.note(ticket, press, "SECRETNOTE")
    released(ticket, "SECRETANSWER", "SECRETVI")
    tickets.close(ticket, press)
    assert actions(subject=ticket.number) == [
        "opened", "claimed", "note", "proposed", "released", "closed",
    ]  # fmt: skip
    rows = AuditRecord.objects.filter(subject=ticket.number)
    assert all(row.press for row in rows)
    kept = json.dumps(list(rows.values("actor", "action", "subject", "data")), ensure_ascii=False)
    assert "SECRET" not in kept
    assert "interview" not in kept
    assert Ticket.objects.get(pk=ticket.pk).state == State.CLOSED


def test_logins_are_recorded_and_what_was_typed_for_a_name_is_not(press):
    browser = Client()
    login = reverse("wagtailadmin_login")
    browser.post(login, {"username": "press", "password": "wrong-password-1"})
    browser.post(login, {"username": "my-secret-password", "password": "x"})
    browser.post(login, {"username": "press", "password": "a-long-password"})
    browser.post(reverse("wagtailadmin_logout"))
    done = AuditRecord.objects.filter(action__startswith="log").order_by("sequence")
    assert [(row.action, row.subject) for row in done] == [
        ("login_failed", "user:press"), ("login_failed", "user:?"), ("logged_in", "user:press"),
        ("logged_out", "user:press"),
    ]  # fmt: skip
    assert done[0].data == {"address": "127.0.0.1"}
    assert "secret" not in json.dumps(list(AuditRecord.objects.values("subject", "actor", "data")))


def test_publishing_unpublishing_and_deleting_name_the_editor(entry, person, as_user):
    rights = [f"knowledge.{verb}_{model}" for model in ("entry", "translation")
              for verb in ("add", "change", "view", "publish", "delete")]  # fmt: skip
    browser = as_user(person("chief", *rights))
    text = entry.translations.get(language="en")
    name = "wagtailsnippets_knowledge_translation"
    assert actions(subject="text:pagoda-hours/en") == ["published"]
    browser.post(reverse(f"{name}:unpublish", args=[text.pk]))
    browser.post(reverse(f"{name}:delete", args=[text.pk]))
    done = AuditRecord.objects.filter(subject="text:pagoda-hours/en").order_by("sequence")
    assert [(row.action, row.actor) for row in done] == [
        ("published", ""), ("unpublished", "chief"), ("deleted", "chief"),
    ]  # fmt: skip


def test_who_may_do_what_is_recorded_from_either_side(db):
    user = get_user_model().objects.create(username="lan")
    group = Group.objects.create(name="Press")
    user.groups.add(group)
    group.user_set.remove(user)
    user.is_superuser = True
    user.save()
    user.save(update_fields=["last_login"])
    user.is_active = False
    user.save()
    done = AuditRecord.objects.filter(subject__in=("user:lan", "group:Press")).order_by("sequence")
    assert [(row.action, row.subject, row.data) for row in done] == [
        ("account_added", "user:lan", {"is_active": True, "is_staff": False, "is_superuser": False}),
        ("rights_granted", "user:lan", {"rights": ["group:Press"]}),
        ("rights_revoked", "group:Press", {"rights": ["user:lan"]}),
        ("account_changed", "user:lan", {"is_superuser": True}),
        ("account_changed", "user:lan", {"is_active": False}),
    ]  # fmt: skip


# --- the page -------------------------------------------------------------------------------------------------------
@pytest.fixture
def auditor(person):
    return person("auditor", "desk.view_audit")


def test_the_page_shows_the_log_to_whom_it_is_open(as_user, auditor, press, person, ticket, complaint):
    page, export = reverse("desk_audit:index"), reverse("desk_audit:export")
    for address in (page, export):
        assert as_user(press).get(address).status_code == 404
        assert Client().get(address).status_code == 302
    browser = as_user(auditor)
    shown = browser.get(page).content.decode()
    assert complaint.number in shown
    assert ticket.number not in shown  # a press ticket, for those who work on press alone
    assert ticket.number not in b"".join(browser.get(export).streaming_content).decode()
    both = as_user(person("both", "desk.view_audit", "desk.work_press"))
    assert ticket.number in both.get(page).content.decode()
    assert f'href="{page}"' in browser.get(reverse("wagtailadmin_home")).content.decode() or page in browser.get(
        reverse("wagtailadmin_home")
    ).content.decode()
    assert AuditRecord.objects.filter(action="viewed", subject="audit", actor="auditor").exists()


def test_the_log_is_filtered_by_subject_person_action_and_day(as_user, auditor, complaint, officer):
    tickets.note(complaint, officer, "x")
    browser, page = as_user(auditor), reverse("desk_audit:index")

    def found(**filters):
        return {row.action for row in browser.get(page, filters).context["page"]}

    assert found(subject=complaint.number) == {"opened", "note"}
    assert found(actor="officer") == {"note"}
    assert found(action="opened") == {"opened"}
    assert found(since="2999-01-01") == found(until="2000-01-01") == set()
    assert "note" in found(since="2000-01-01", until="2999-01-01")
    assert "note" in found(since="no date", p="no page")


def test_the_export_is_the_filtered_list_and_harmless_in_a_spreadsheet(as_user, auditor, complaint, db):
    audit.record("tested", "=HYPERLINK(1)", why="ư")
    browser = as_user(auditor)
    answer = browser.get(reverse("desk_audit:export"), {"action": "tested"})
    lines = list(csv.DictReader(b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()))
    [line] = lines
    assert (line["subject"], line["action"], json.loads(line["data"])) == ("'=HYPERLINK(1)", "tested", {"why": "ư"})
    assert line["hash"] == AuditRecord.objects.get(action="tested").hash
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert AuditRecord.objects.get(action="exported").data == {"filters": {"action": "tested"}, "records": 1}

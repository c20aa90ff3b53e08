"""Keeps the audit log append-only in the database itself: triggers that refuse UPDATE, DELETE and TRUNCATE.

They are put up after every `migrate`, not by a migration: SQLite drops a table's triggers when Django rebuilds the
table. Whoever owns the database can take them down; then the hash chain shows what was done (desk/audit_check.py).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from django.apps import AppConfig
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.signals import post_migrate

from desk.models import AuditHead, AuditRecord

REFUSAL = "The audit log is append-only."
RECORDS, HEAD = AuditRecord._meta.db_table, AuditHead._meta.db_table

# The head moves on by one record at a time and never back.
SQLITE = {
    "audit_no_update": f"BEFORE UPDATE ON {RECORDS}",
    "audit_no_delete": f"BEFORE DELETE ON {RECORDS}",
    "audit_head_forward": f"BEFORE UPDATE ON {HEAD} WHEN NEW.count <> OLD.count + 1",
    "audit_head_stays": f"BEFORE DELETE ON {HEAD}",
}
POSTGRESQL = {
    ("audit_no_change", RECORDS): "BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW",
    ("audit_no_truncate", RECORDS): "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
    ("audit_head_forward", HEAD): "BEFORE UPDATE ON {table} FOR EACH ROW WHEN (NEW.count <> OLD.count + 1)",
    ("audit_head_stays", HEAD): "BEFORE DELETE ON {table} FOR EACH ROW",
    ("audit_head_no_truncate", HEAD): "BEFORE TRUNCATE ON {table} FOR EACH STATEMENT",
}


def connect(app: AppConfig) -> None:
    """Put the triggers up after each `migrate` of the desk."""
    post_migrate.connect(_after_migrate, sender=app, dispatch_uid="desk.audit_guard")


def _after_migrate(using: str, **_: Any) -> None:
    connection = connections[using]
    # `migrate desk zero` comes by here too.
    if {RECORDS, HEAD} <= set(connection.introspection.table_names()):
        put_up(connection)


def put_up(connection: BaseDatabaseWrapper) -> None:
    """Put the triggers up anew; on another database than SQLite and PostgreSQL nothing is done."""
    take_down(connection)
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, when in SQLITE.items():
                cursor.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END")
        elif connection.vendor == "postgresql":
            cursor.execute(
                "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
            )
            for (name, table), when in POSTGRESQL.items():
                when = when.format(table=table)
                cursor.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION audit_refuse()")


def take_down(connection: BaseDatabaseWrapper) -> None:
    """Take the triggers down, as far as they are there."""
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        elif connection.vendor == "postgresql":
            for name, table in POSTGRESQL:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")


@contextlib.contextmanager
def down(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Take the triggers down for a while; for `manage.py flush` (tests) and for tests that tamper."""
    take_down(connection)
    try:
        yield
    finally:
        put_up(connection)

"""`manage.py worker`: what has to happen at its time, without anybody asking."""

from __future__ import annotations

import datetime as dt
import logging
import signal
import threading
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections
from django.utils import timezone
from wagtail import signals

from bot import retention, wishes
from bot.models import Delivery, Message
from desk import deadlines, gaps, quality
from knowledge import practice
from knowledge.client import SearchUnavailable

logger = logging.getLogger("worker")
# Retention counts in days; looking every 30 s would read the message table for nothing.
RETENTION_EVERY = dt.timedelta(hours=6)
TELL_EVERY = dt.timedelta(minutes=10)


class Command(BaseCommand):
    help = "Publish and expire what is scheduled, remind of deadlines, tidy up; runs until stopped."
    retained_at: dt.datetime | None = None
    told_at: dt.datetime | None = None

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--seconds", type=float, default=30.0, help="time between two rounds")
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        if not options["once"]:
            logger.info("Working every %g s", options["seconds"])
        while True:
            try:
                self.round()
            except DatabaseError as error:
                logger.warning("The database is busy (%s); trying again in the next round", error)
                close_old_connections()
            if options["once"] or stop.wait(options["seconds"]):
                return

    def round(self) -> None:
        """Do what is due now."""
        self.publish()
        now = timezone.now()
        # The outbox does the same whenever it looks; while the bot is down nobody does, and the console would say
        # "sending" for ever. `not_before` of a message under way is when its sender's time is up (bot/outbox.py).
        lost = Message.objects.filter(state=Delivery.SENDING, not_before__lt=now).update(
            state=Delivery.UNCERTAIN, error="broken off while it was being sent", not_before=None
        )
        if lost:
            logger.info("Marked %s messages as uncertain: their sending broke off", lost)
        if noted := deadlines.remind(now):
            logger.info("Noted %s reminders of deadlines", noted)
        if self.retained_at is None or now - self.retained_at >= RETENTION_EVERY:
            report = retention.run(now=now)
            self.retained_at = now
            if any(report.rows.values()):
                logger.info("Retention: erased %s", {kind: rows for kind, rows in report.rows.items() if rows})
            if left := practice.tidy(now):
                logger.info("Deleted %s practice entries that were left", left)
        self.judge(now)
        self.group(now)
        self.tell(now)

    @staticmethod
    def judge(now: dt.datetime) -> None:
        """Write the quality report when it is time for a new one."""
        last = quality.Report.read(settings.QUALITY_REPORT)
        if last is None or last.stale(now):
            made = quality.make(now, settings.INDEX_DIR)
            made.write(settings.QUALITY_REPORT)
            logger.debug("Quality of %s entries: %s findings", made.entries, len(made.findings))

    @staticmethod
    def group(now: dt.datetime) -> None:
        """Group what was asked in vain when it is time to; the search service may be down, then later."""
        if gaps.due(now, settings.GAPS_REPORT):
            try:
                gaps.make(now, settings.GAPS_REPORT)
            except SearchUnavailable as error:
                logger.debug("What was asked in vain is not grouped: %s", error)

    def tell(self, now: dt.datetime) -> None:
        """Tell those who wanted to know that there is an answer; the search service may be down, then later."""
        if self.told_at is not None and now - self.told_at < TELL_EVERY:
            return
        self.told_at = now
        try:
            if told := wishes.tell():
                logger.info("Told %s askers that there is an answer now", told)
        except SearchUnavailable as error:
            logger.debug("Nobody is told of new answers: %s", error)

    @staticmethod
    def publish() -> None:
        """Publish and expire what is scheduled, and say so."""
        count = {"Published": 0, "Expired": 0}

        def published(**_: Any) -> None:
            count["Published"] += 1

        def expired(**_: Any) -> None:
            count["Expired"] += 1

        signals.published.connect(published)
        signals.unpublished.connect(expired)
        try:
            call_command("publish_scheduled", verbosity=0)
        finally:
            signals.published.disconnect(published)
            signals.unpublished.disconnect(expired)
        for done, number in count.items():
            if number:
                logger.info("%s %s scheduled texts", done, number)

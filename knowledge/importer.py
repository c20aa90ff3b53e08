"""From content files to the database and back; the database is the truth, the files are its seed and its copy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.utils import timezone
from wagtail.models import Revision

from knowledge.content_files import KEYS, PLACE_KEYS, SOURCE_KEYS, TRANSLATION_KEYS, read_folder
from knowledge.models import Department, Entry, Source, Translation
from nlu.languages import CODES


@dataclass
class Report:
    """What an import did: slugs by what became of them."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def import_folder(folder: Path, *, replace: bool = False) -> Report:
    """Import a folder of content in one transaction; raises ContentError before anything is written.

    An entry that was changed in the console since the last import is kept as the editors have it, unless `replace`
    is given; one that only its file has changed is updated.
    """
    departments, entries = read_folder(folder)
    report = Report()
    with transaction.atomic():
        for row in departments:
            _department(row)
        here = {data["slug"]: data for data in export_entries()}
        for data in entries:
            slug = data["slug"]
            if slug not in here:
                _write(data)
                report.created.append(slug)
            elif normal(here[slug]) == normal(data):
                report.unchanged.append(slug)
            elif replace or not _edited(slug):
                _write(data)
                report.updated.append(slug)
            else:
                report.kept.append(slug)
    return report


def _edited(slug: str) -> bool:
    """Tell whether an entry, or one of its texts, is no longer what an import published: edited, drafted, withdrawn."""
    entry = Entry.objects.select_related("live_revision").get(slug=slug)
    return any(_differs(row) for row in (entry, *entry.translations.select_related("live_revision")))


def _differs(row: Entry | Translation) -> bool:
    revision = row.live_revision
    if not row.live or revision is None or revision.user_id is not None or row.latest_revision_id != revision.pk:
        return True
    published = revision.as_object()
    return any(getattr(row, name) != getattr(published, name) for name in _CONTENT[type(row)])


def normal(data: dict[str, Any]) -> dict[str, Any]:
    """Return an entry's data with texts stripped, to compare meaning rather than layout."""
    copy = {key: data.get(key) for key in KEYS}
    copy["translations"] = {
        code: {key: each[key].strip() if isinstance(each[key], str) else each[key] for key in TRANSLATION_KEYS}
        for code, each in data["translations"].items()
    }
    return copy


def _department(row: dict[str, Any]) -> None:
    successor = row.get("successor") or {}
    Department.objects.update_or_create(
        slug=row["slug"],
        defaults={
            "name_vi": row["name"]["vi"], "name_en": row["name"]["en"], "successor_vi": successor.get("vi") or "",
            "successor_en": successor.get("en") or "", "handles": row.get("handles") or [],
        },
    )


def _write(data: dict[str, Any]) -> None:
    place = data["place"] or dict.fromkeys(PLACE_KEYS)
    now = timezone.now()
    entry = Entry.objects.filter(slug=data["slug"]).first() or Entry(slug=data["slug"])
    for key in ("category", "sensitivity", "statement", "clarification", "priority", "aliases", "facts", *_DATES):
        setattr(entry, key, data[key])
    entry.department = Department.objects.get(slug=data["department"])
    entry.event_repeats = data["event_repeats"] or ""
    entry.place_name, entry.latitude, entry.longitude = place["name"] or "", place["latitude"], place["longitude"]
    entry.address, entry.address_before_2025 = place["address"] or "", place["address_before_2025"] or ""
    entry.phone, entry.web = data["phone"] or "", data["web"] or ""
    entry.live, entry.has_unpublished_changes = True, False
    entry.first_published_at = entry.first_published_at or now
    entry.last_published_at = now
    entry.sources = [Source(sort_order=number, **each) for number, each in enumerate(data["sources"])]
    entry.save()
    as_published(entry)
    for code in sorted(data["translations"], key=lambda code: bool(data["translations"][code]["source_language"])):
        _write_translation(entry, code, data["translations"][code], now)
    entry.translations.exclude(language__in=data["translations"]).delete()


def _write_translation(entry: Entry, code: str, data: dict[str, Any], now: dt.datetime) -> None:
    row = entry.translations.filter(language=code).first() or Translation(entry=entry, language=code)
    before = Translation.objects.filter(pk=row.pk).first() if row.pk else None
    row.question, row.answer = data["question"], data["answer"].strip()
    row.other_questions = "\n".join(data["other_questions"])
    row.source_language = data["source_language"] or ""
    if row.source_language:
        row.source_version = entry.translations.values_list("version", flat=True).get(language=row.source_language)
    row.live, row.has_unpublished_changes = True, False
    row.first_published_at = row.first_published_at or now
    row.last_published_at = now
    row.count_version(before)
    row.save()
    as_published(row)


def as_published(instance: Entry | Translation, user: AbstractBaseUser | None = None) -> None:
    """Give the live row its revision, by `user` (nobody: an import), so that the console can compare and restore it.

    What `save_revision` does without saving the row, hence its search and reference indexes, a second time: an
    import is mostly that.
    """
    revision = Revision.objects.create(
        content_object=instance,
        base_content_type=instance.get_base_content_type(),
        content=instance.serializable_data(),
        object_str=str(instance),
        user=user,
    )
    instance.latest_revision = instance.live_revision = revision
    type(instance).objects.filter(pk=instance.pk).update(
        latest_revision=revision, live_revision=revision, has_unpublished_changes=False
    )


_DATES = ("verified_on", "review_by", "valid_from", "valid_until", "event_start", "event_end")


_CONTENT: dict[type, tuple[str, ...]] = {
    Entry: (
        "category", "department_id", "sensitivity", "statement", "clarification", "priority", "aliases", "facts",
        "place_name", "latitude", "longitude", "address", "address_before_2025", "phone", "web", "event_repeats",
        *_DATES,
    ),
    Translation: ("question", "other_questions", "answer", "source_language"),
}


def export_entries() -> Iterable[dict[str, Any]]:
    """Yield every entry as the data of its file, keys in the order of the form."""
    entries = Entry.objects.real().select_related("department").prefetch_related("sources", "translations")
    for entry in entries.order_by("category", "slug"):
        yield _data(entry)


def _data(entry: Entry) -> dict[str, Any]:
    place = None
    if entry.place_name or entry.address:
        place = {
            "name": entry.place_name, "latitude": entry.latitude, "longitude": entry.longitude,
            "address": entry.address or None, "address_before_2025": entry.address_before_2025 or None,
        }
    rows = {row.language: row for row in entry.translations.all()}
    plain = ("slug", "category", "sensitivity", "statement", "clarification", "priority", "facts", "aliases", *_DATES)
    values: dict[str, Any] = {
        **{key: getattr(entry, key) for key in plain},
        "event_repeats": entry.event_repeats or None,
        "department": entry.department.slug, "place": place, "phone": entry.phone or None, "web": entry.web or None,
        "sources": [{key: getattr(source, key) for key in SOURCE_KEYS} for source in entry.sources.all()],
        "translations": {
            code: {
                "question": rows[code].question,
                "other_questions": [line for line in rows[code].other_questions.splitlines() if line.strip()],
                "answer": rows[code].answer + "\n",
                "source_language": rows[code].source_language or None,
            }
            for code in CODES
            if code in rows
        },
    }
    return {key: values[key] for key in KEYS}


class _Dumper(yaml.SafeDumper):
    """Writes content the way people edit it: lists indented, answers as blocks, keys in our order."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def dump(data: Any) -> str:
    """Return data as the text of a content file."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100_000)


def export_folder(folder: Path) -> int:
    """Write the knowledge base as content files; return how many entries were written."""
    count = 0
    for data in export_entries():
        file = folder / data["category"] / f"{data['slug']}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dump(data), encoding="utf-8")
        count += 1
    departments = [
        {
            "slug": row.slug,
            "name": {"vi": row.name_vi, "en": row.name_en},
            "successor": {"vi": row.successor_vi, "en": row.successor_en} if row.successor_vi else None,
            "handles": row.handles,
        }
        for row in Department.objects.order_by("pk")
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "departments.yml").write_text(dump(departments), encoding="utf-8")
    return count

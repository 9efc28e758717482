"""The hospital import: institutions, campuses and network entries from one workbook.

Keys: hospital by code, campus by hospital + code, entry by everything but its end and its scopes.
A network that ends gets an end date; rows that are missing from the file are left as they are and
counted, since a list of one city must not end the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop, ngettext

from apps.core.errors import DomainError, InvalidInput
from apps.core.imports import CHANGED, CREATED, UNCHANGED, Importer, Report, Row, Sheet
from apps.core.imports.upsert import Batch, assign, shown
from apps.hospitals.columns import CAMPUSES, HOSPITALS, NETWORK
from apps.hospitals.models import Campus, Hospital, NetworkEntry
from apps.hospitals.series import SeriesBook

ENTITIES = (
    gettext_noop("hospitals"),
    gettext_noop("campuses"),
    gettext_noop("network entries"),
)  # as reports name them
EntryKey = tuple[int, str, str, str, str, date]
FOREVER = date.max
HOSPITAL_FIELDS = tuple(column.key for column in HOSPITALS.columns if column.key != "hospital")


def _entry_key(entry: NetworkEntry) -> EntryKey:
    return (
        entry.campus_id, entry.department_group, entry.series, entry.network_group, entry.benefit, entry.starts_on,
    )  # fmt: skip


class HospitalImporter(Importer):
    kind = "hospitals"
    title = gettext_lazy("Hospitals and networks")
    sheets = (HOSPITALS, CAMPUSES, NETWORK)

    def __init__(self) -> None:
        self._seen: dict[tuple[str, Any], int] = {}  # (sheet, key) → row in this file
        self._spans: dict[tuple[Any, ...], list[tuple[date, date, Row]]] = {}

    def prepare(self, report: Report) -> None:
        self.book = SeriesBook()

    def apply(self, sheet: Sheet, chunk: list[Row], report: Report) -> None:
        writers = {"hospitals": self._hospitals, "campuses": self._campuses, "network": self._network}
        writers[sheet.key](chunk, report)

    # --- hospitals --------------------------------------------------------------------------------------

    def _hospitals(self, chunk: list[Row], report: Report) -> None:
        stored = _hospitals_by_code(chunk)
        batch: Batch[Hospital] = Batch(Hospital)
        for row in chunk:
            if not self._first(HOSPITALS, row, row["hospital"], "hospital", report):
                continue
            hospital = stored.get(row["hospital"]) or Hospital(code=row["hospital"])
            self._upsert(
                batch, hospital, {name: row[name] for name in HOSPITAL_FIELDS}, row, report, "hospitals"
            )
            hospital.derive()
            if hospital.pk in batch.changed:
                batch.fields |= {"pinyin", "initials"}
        batch.write()

    # --- campuses ---------------------------------------------------------------------------------------

    def _campuses(self, chunk: list[Row], report: Report) -> None:
        hospitals = _hospitals_by_code(chunk)
        stored = {
            (campus.hospital_id, campus.code): campus
            for campus in Campus.objects.filter(hospital__in=hospitals.values()).select_related("hospital")
        }
        batch: Batch[Campus] = Batch(Campus)
        for row in chunk:
            hospital = hospitals.get(row["hospital"])
            if hospital is None:
                report.error(
                    CAMPUSES, row, "hospital", _("a hospital of the first sheet or one known already")
                )
                continue
            if not self._first(CAMPUSES, row, (hospital.pk, row["code"]), "code", report):
                continue
            campus = stored.get((hospital.pk, row["code"])) or Campus(hospital=hospital, code=row["code"])
            values = {name: row[name] for name in ("name", "address", "phone")}
            self._upsert(batch, campus, values, row, report, "campuses")
        batch.write()

    # --- network ----------------------------------------------------------------------------------------

    def _network(self, chunk: list[Row], report: Report) -> None:
        codes = {row["hospital"] for row in chunk}
        campuses = {
            (campus.hospital.code, campus.code): campus
            for campus in Campus.objects.filter(hospital__code__in=codes).select_related("hospital")
        }
        ids = {campuses[place].pk for row in chunk if (place := (row["hospital"], row["campus"])) in campuses}
        stored = {_entry_key(entry): entry for entry in NetworkEntry.objects.filter(campus_id__in=ids)}
        batch: Batch[NetworkEntry] = Batch(NetworkEntry)
        for row in chunk:
            try:
                entry = self._entry(row, campuses)
            except DomainError as error:
                report.refuse(NETWORK, row, error, "campus")
                continue
            key = _entry_key(entry)
            if not self._first(NETWORK, row, key, "benefit", report):
                continue
            self._spans.setdefault(key[:-1], []).append((entry.starts_on, row["ends_on"] or FOREVER, row))
            values = {"ends_on": row["ends_on"], "direct_billing": list(row["direct_billing"])}
            entry = stored.get(key, entry)
            entry.campus = campuses[row["hospital"], row["campus"]]
            self._upsert(batch, entry, values, row, report, "network entries")
        batch.write()

    def _entry(self, row: Row, campuses: dict[tuple[str, str], Campus]) -> NetworkEntry:
        campus = campuses.get((row["hospital"], row["campus"]))
        if campus is None:
            raise InvalidInput(
                _("a campus of this hospital, from the second sheet or known already"), field="campus"
            )
        handbook = self.book.series(row["series"])
        group = self.book.group(handbook, row["network_group"])
        self.book.check_benefit(handbook, group, row["benefit"])
        if row["ends_on"] and row["ends_on"] < row["starts_on"]:
            raise InvalidInput(_("a day not before %(day)s") % {"day": row["starts_on"]}, field="ends_on")
        return NetworkEntry(
            campus=campus, department_group=row["department_group"], series=handbook.series, network_group=group,
            benefit=row["benefit"], starts_on=row["starts_on"],
        )  # fmt: skip

    # --- for all ----------------------------------------------------------------------------------------

    def _first(self, sheet: Sheet, row: Row, key: Any, column: str, report: Report) -> bool:
        earlier = self._seen.setdefault((sheet.key, key), row.number)
        if earlier != row.number:
            report.error(sheet, row, column, _("each once; row %(row)s has the same") % {"row": earlier})
        return earlier == row.number

    def _upsert(
        self, batch: Batch[Any], record: Any, values: dict[str, Any], row: Row, report: Report, entity: str
    ) -> None:
        if record.pk is None:
            assign(record, values)
            batch.add(record)
            outcome = CREATED
        else:
            found = assign(record, values)
            batch.change(record, set(found))
            for name, (old, new) in found.items():
                what = str(record._meta.get_field(name).verbose_name)
                report.sample(row, str(record), what, shown(record, name, old), shown(record, name, new))
            outcome = CHANGED if found else UNCHANGED
        report.count(entity, outcome)
        report.outcomes[outcome] += 1

    def finish(self, report: Report) -> None:
        """Periods of one entry must not overlap; what the file does not mention is counted, not ended."""
        stored: dict[tuple[Any, ...], list[NetworkEntry]] = {}
        campuses = {key[0] for key in self._spans}
        untouched = 0
        for chunk in _chunks(sorted(campuses), 500):
            for entry in NetworkEntry.objects.filter(campus_id__in=chunk):
                stored.setdefault(_entry_key(entry)[:-1], []).append(entry)
                untouched += ("network", _entry_key(entry)) not in self._seen
        for key, spans in self._spans.items():
            self._refuse_overlaps(spans, stored.get(key, []), report)
        if untouched:
            notice = ngettext(
                "%(count)d network entry of these hospitals is not in the file and stays as it is.",
                "%(count)d network entries of these hospitals are not in the file and stay as they are.",
                untouched,
            )
            report.notices.append(notice % {"count": untouched})

    @staticmethod
    def _refuse_overlaps(
        spans: list[tuple[date, date, Row]], stored: list[NetworkEntry], report: Report
    ) -> None:
        for start, end, row in spans:
            for other in stored:
                if other.starts_on < start <= (other.ends_on or FOREVER) and start <= end:
                    report.error(
                        NETWORK, row, "starts_on",
                        _("a day after the earlier entry from %(day)s, which must be ended first")
                        % {"day": other.starts_on},
                    )  # fmt: skip


def _hospitals_by_code(chunk: Iterable[Row]) -> dict[str, Hospital]:
    return {
        found.code: found for found in Hospital.objects.filter(code__in={row["hospital"] for row in chunk})
    }


def _chunks(values: list[int], size: int) -> Iterable[list[int]]:
    return (values[start : start + size] for start in range(0, len(values), size))

"""A workbook of direct-billing claims: read whole, then registered all or none.

The rows of one reference are one claim, those of one bill number one bill. What is wrong is said by row,
column, value and what is expected, for every wrong row at once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from apps.accounts.actors import NOBODY, Actor
from apps.core.errors import DomainError
from apps.core.imports import CREATED, Importer, Report, Row, Sheet
from apps.core.imports.importer import run
from apps.core.imports.jobs import run_at_once
from apps.core.imports.workbook import check_file
from apps.direct.actions.submit import may_submit, submit_direct
from apps.direct.batches import each
from apps.direct.columns import CLAIMS
from apps.direct.models import DirectClaim

ENTITIES = (gettext_noop("direct-billing claims"),)
OF_CLAIM = (
    "hospital", "member", "name", "birth_date", "card", "id_type", "id_photo", "visit_type", "benefit", "department",
    "department_group", "started_on", "ended_on", "admission_number", "diagnosis", "diagnosis_name", "authorization",
    "contact_email",
)  # fmt: skip
OF_BILL = ("bill_type", "bill_code", "check_code", "issued_on")
COLUMN_OF = {
    "member.number": "member", "member.policy": "member", "member.name": "name", "member.birth_date": "birth_date",
    "code": "bill_code", "number": "bill_number", "name": "item",
}  # fmt: skip
LINE = re.compile(r"visits\.0\.bills\.(\d+)\.lines\.(\d+)\.(\w+)")
BILL = re.compile(r"visits\.0\.bills\.(\d+)(?:\.(\w+))?")


@dataclass
class Group:
    """The rows of one claim, by bill number."""

    rows: list[Row] = field(default_factory=list)
    bills: dict[str, list[Row]] = field(default_factory=dict)

    def place(self, path: str) -> tuple[Row, str]:
        """Row and column at which a value of the claim stands in the file."""
        bills = list(self.bills.values())
        if found := LINE.match(path):
            row = bills[int(found[1])][int(found[2])]
            return row, COLUMN_OF.get(found[3], found[3])
        if found := BILL.match(path):
            name = found[2] or "number"
            return bills[int(found[1])][0], COLUMN_OF.get(name, name)
        if path.startswith("visits.0.diagnoses"):
            return self.rows[0], "diagnosis"
        return self.rows[0], COLUMN_OF.get(path, path.removeprefix("visits.0."))


class DirectImporter(Importer):
    kind = "direct"
    title = gettext_lazy("Direct-billing claims")
    sheets = (CLAIMS,)
    uploads = False  # on its own page, for whoever may submit

    def __init__(self, actor: Actor = NOBODY, now: datetime | None = None) -> None:
        self.actor, self.now = actor, now
        self.groups: dict[str, Group] = {}

    def apply(self, sheet: Sheet, chunk: list[Row], report: Report) -> None:
        """A claim may reach over several chunks; nothing is written before all are read."""
        for row in chunk:
            group = self.groups.setdefault(row["reference"], Group())
            group.rows.append(row)
            group.bills.setdefault(row["bill_number"], []).append(row)

    def finish(self, report: Report) -> None:
        for reference, group in self.groups.items():
            if not self._agrees(group, report):
                continue
            try:
                with transaction.atomic():
                    case = submit_direct(
                        self.actor,
                        data=data_of(reference, group),
                        source=DirectClaim.Source.EXCEL,
                        now=self.now,
                    )
            except DomainError as error:
                for one in each(error):
                    row, column = group.place(one.field)
                    one.field = column
                    report.refuse(CLAIMS, row, one, "reference")
                continue
            report.count("direct-billing claims", CREATED)
            report.outcomes[CREATED] += len(group.rows)
            report.sample(group.rows[0], reference, str(_("case number")), "", case.number)

    def _agrees(self, group: Group, report: Report) -> bool:
        """What is said of the claim or the bill on each of its rows is said the same way."""
        good = True
        for names, rows in ((OF_CLAIM, group.rows), *((OF_BILL, rows) for rows in group.bills.values())):
            for row in rows[1:]:
                for name in names:
                    if row[name] != rows[0][name]:
                        report.error(
                            CLAIMS, row, name, _("the same as in row %(row)s") % {"row": rows[0].number}
                        )
                        good = False
        return good


def data_of(reference: str, group: Group) -> dict[str, Any]:
    """The claim as the interface takes it. Papers follow on their own: a workbook holds none."""
    first = group.rows[0]
    given = {name: first[name] for name in OF_CLAIM}
    bills = [_bill(rows) for rows in group.bills.values()]
    visit = {
        name: given[name]
        for name in ("visit_type", "benefit", "department", "department_group", "started_on", "admission_number")
    } | {
        "hospital": given["hospital"], "ended_on": given["ended_on"] or None, "bills": bills,
        "diagnoses": [{"code": given["diagnosis"], "name": given["diagnosis_name"]}],
        "emergency": given["visit_type"] == "EMERGENCY",
    }  # fmt: skip
    return {
        "member": {"number": given["member"], "name": given["name"], "birth_date": given["birth_date"]},
        "reporter": {"name": given["hospital"]}, "visits": [visit], "card": given["card"], "id_type": given["id_type"],
        "id_photo": given["id_photo"], "authorization": given["authorization"], "contact_email": given["contact_email"],
        "external_numbers": [{"system": f"HOSPITAL:{given['hospital']}"[:40], "number": reference}],
    }  # fmt: skip


def _bill(rows: list[Row]) -> dict[str, Any]:
    first = rows[0]
    lines = [
        {
            "name": row["item"], "kind": row["kind"], "amount": row["amount"], "quantity": row["quantity"],
            "third_party": row["third_party"], "collected": row["collected"],
        }
        for row in rows
    ]  # fmt: skip
    return {
        "bill_type": first["bill_type"], "code": first["bill_code"], "number": first["bill_number"],
        "check_code": first["check_code"], "issued_on": first["issued_on"], "lines": lines,
        "amount": sum(row["amount"] for row in rows),
    }  # fmt: skip


def import_claims(
    actor: Actor, file: IO[bytes], *, dry_run: bool, name: str = "", now: datetime | None = None
) -> Report:
    """Register every claim of a workbook, or try it. A report with errors means that nothing was stored; what was
    not a trial stands in the history of imports, stored or refused.

    Raises InvalidInput for what is no honest workbook, NotAllowed for who may not submit.
    """
    may_submit(actor)
    importer = DirectImporter(actor, now)
    if not dry_run:
        return run_at_once(importer, file, name=name, who=actor.label, user_id=actor.user_id)
    check_file(file)
    return run(importer, file, dry_run=True)

"""The roster import: children, guardians and policies from the insurer's list.

Natural keys: a child is its identity paper (or a former one), a policy is number + child, a guardian
is child + relation + name. A row finds its child by the paper; when the paper has changed (birth
certificate, then identity card) by the policy or the guardian together with name and birth date.
What a row says of the *child* counts only when no later policy of the child has spoken, so that an
old row in a new file, or the same file twice, changes nothing.
"""

from __future__ import annotations

from datetime import date

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.errors import DomainError, InvalidInput
from apps.core.imports import Importer, Report, Row, Sheet
from apps.members.identity import Identity, check_identity
from apps.members.models import Guardian, id_index
from apps.members.plans import PlanBook
from apps.members.roster_chunk import Chunk, Entry, Run
from apps.members.roster_columns import PARENT, ROSTER


class RosterImporter(Importer):
    kind = "roster"
    title = gettext_lazy("Roster")
    sheets = (ROSTER,)

    def __init__(self, today: date | None = None):
        self.today = today or timezone.localdate()

    def prepare(self, report: Report) -> None:
        self.run = Run(PlanBook())

    def apply(self, sheet: Sheet, chunk: list[Row], report: Report) -> None:
        entries = [entry for row in chunk if (entry := self._check(sheet, row, report))]
        if entries:
            Chunk(self.run, sheet, entries, report).work()

    # --- one row ----------------------------------------------------------------------------------

    def _check(self, sheet: Sheet, row: Row, report: Report) -> Entry | None:
        before = len(report.errors)
        identity, holder, plan = None, None, None
        try:
            identity = check_identity(
                id_type=row["id_type"], number=row["id_number"], today=self.today,
                birth_date=row["birth_date"], sex=row["sex"],
            )  # fmt: skip
        except DomainError as error:
            report.refuse(sheet, row, error, "id_number")
        try:
            holder = self._holder(row)
        except DomainError as error:
            report.error(sheet, row, "holder_id_number", error.message)
        try:
            plan = self.run.plans.choose(row["series"], row["plan"], row["scheme"], row["riders"])
        except DomainError as error:
            report.refuse(sheet, row, error, "plan")
        for key, expected in _wrong_dates(row, self.today):
            report.error(sheet, row, key, expected)
        if len(report.errors) > before or identity is None or plan is None:
            return None
        return Entry(
            row, identity, holder, _relation(row, holder), plan, id_index(identity.number),
            id_index(holder.number) if holder else "",
        )  # fmt: skip

    def _holder(self, row: Row) -> Identity | None:
        number, id_type = row["holder_id_number"], row["holder_id_type"]
        if not number and not id_type:
            return None
        if not number or not id_type:
            raise InvalidInput(_("identity type and number of the policyholder, or neither"))
        return check_identity(id_type=id_type, number=number, today=self.today)


def _relation(row: Row, holder: Identity | None) -> str:
    if row["holder_relation"] != PARENT:
        return str(row["holder_relation"])
    sex = holder.sex if holder else ""
    return str(
        {"M": Guardian.Relation.FATHER, "F": Guardian.Relation.MOTHER}.get(sex, Guardian.Relation.GUARDIAN)
    )


def _wrong_dates(row: Row, today: date) -> list[tuple[str, str]]:
    """Dates that contradict each other: (column, what was expected)."""
    wrong = []
    start, end, ended, since = (
        row["effective_on"],
        row["expires_on"],
        row["ended_on"],
        row["continuous_since"],
    )
    if end < start:
        wrong.append(("expires_on", _("a day not before the effective date %(day)s") % {"day": start}))
    elif (end - start).days > 366 * 2:
        wrong.append(("expires_on", _("a period of at most two years")))
    if row["birth_date"] > start:
        wrong.append(("birth_date", _("a day not after the effective date %(day)s") % {"day": start}))
    if row["concluded_on"] and row["concluded_on"] > start:
        wrong.append(("concluded_on", _("a day not after the effective date %(day)s") % {"day": start}))
    if ended and not (start - ended).days <= 1:
        wrong.append(
            ("ended_on", _("the last day of cover: at the earliest the day before the effective date"))
        )
    if ended and ended > end:
        wrong.append(("ended_on", _("a day not after the expiry date %(day)s") % {"day": end}))
    if not ended and (row["status"] == "TERMINATED" or (row["status"] == "LAPSED" and end >= today)):
        wrong.append(("ended_on", _("the last day of cover; a policy that ended early needs it")))
    if since and since > start:
        wrong.append(("continuous_since", _("a day not after the effective date %(day)s") % {"day": start}))
    if row["renewed"] == "Y" and not since:
        wrong.append(("continuous_since", _("the day since which a renewed policy is continuous")))
    return wrong

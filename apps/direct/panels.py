"""What the blocks of the case page show about a direct-billing claim. The others are those of a claim."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.cases.kinds import Kind, Panel
from apps.cases.models import CaseFile
from apps.claims import panels as claims
from apps.direct.models import DirectClaim, HospitalPayment
from apps.direct.queries import (
    ANNUAL_LIMIT,
    COINSURANCE,
    DEDUCTIBLE,
    EXCLUDED,
    NO_AUTHORIZATION,
    NO_SHOW,
    NOT_COVERED,
    OVER_LIMIT,
    PAID_STATES,
    hospital_owes_fen,
    own_lines,
    paid_not_covered,
    self_pay,
)

Context = Mapping[str, Any]
PLACES = frozenset({"OUT_OF_NETWORK", "OUT_OF_NETWORK_EMERGENCY", "LETTER_PLACE"})
REASONS = {
    NOT_COVERED: _("not covered"), ANNUAL_LIMIT: _("annual maximum reached"), EXCLUDED: _("excluded"),
    OVER_LIMIT: _("over a limit"), NO_SHOW: _("no-show fee"), NO_AUTHORIZATION: _("refused: no authorization"),
    DEDUCTIBLE: _("deductible"), COINSURANCE: _("own share"),
}  # fmt: skip


def reason_words(reason: str) -> Any:
    return REASONS.get(reason, reason)


def direct_of(case: CaseFile) -> DirectClaim:
    related = ("authorization__case", "campus")
    return DirectClaim.objects.select_related(*related).get(pk=case.pk)


def billing(case: CaseFile, actor: Any) -> Context:
    """Who sent it, what the desk checked, the letter with what is left of it, and what to mind."""
    direct = direct_of(case)
    letter = direct.authorization
    left = None
    if letter is not None and letter.approved_fen is not None:
        left = max(letter.approved_fen - letter.drawn_fen, 0)
    return {
        "direct": direct, "letter": letter, "left_fen": left, "flags": direct.flag_words,
        "card_tail": direct.card_number[-4:], "stay": direct.admitted_on is not None,
    }  # fmt: skip


def findings(case: CaseFile, actor: Any) -> Context:
    """As of a claim; the one tick that only speaks of claims of families is left out."""
    found = dict(claims.findings(case, actor))
    public = str(_("public institution"))
    found["passed"] = [tick for tick in found["passed"] if str(tick) != public]
    if not any(row.finding.code in PLACES for row in found["findings"]):
        found["passed"].append(_("in the network"))
    return found


def shares(case: CaseFile, actor: Any) -> Context:
    """Line by line what stays with the family, what the hospital collected, what is open; and its payments."""
    payments = list(HospitalPayment.objects.filter(direct=case.pk).order_by("pk"))
    if case.claim.decided_fen is None:
        return {"decided": False, "payments": payments, "hidden": not payments}
    share = self_pay(case)
    lines = [
        (line, max(line.own_fen - line.collected_fen, 0), [(reason_words(reason), fen) for reason, fen in line.parts])
        for line in own_lines(case.pk) if line.own_fen or line.collected_fen
    ]  # fmt: skip
    over = [(reason_words(reason), fen, payment) for reason, fen, payment in paid_not_covered(case)]
    return {
        "decided": True, "owed_fen": hospital_owes_fen(case) if case.state in PAID_STATES else 0, "lines": lines, "share": share, "payments": payments, "over": over,
        "paid_fen": sum(payment.amount_fen for payment in payments), "decided_fen": case.claim.decided_fen,
    }  # fmt: skip


def _billed(fill: Callable[[CaseFile, Any], Context]) -> Callable[[CaseFile, Any], Context]:
    """A block of a claim; a child that is still in hospital has no bills yet."""

    def filled(case: CaseFile, actor: Any) -> Context:
        if case.state == "ADMITTED":
            return {"hidden": True}
        return {**fill(case, actor), "direct": True}

    return filled


def add_panels(kind: Kind) -> None:
    if kind.panels:
        return
    for name, title, template, fill, side in (
        ("billing", _("Direct billing"), "direct/panels/billing.html", billing, "main"),
        ("inquiries", _("Investigation and medical review"), "claims/panels/inquiries.html", claims.inquiries, "main"),
        ("findings", _("Findings"), "claims/panels/findings.html", _billed(findings), "main"),
        ("lines", _("Lines"), "claims/panels/lines.html", _billed(claims.lines), "main"),
        ("shares", pgettext_lazy("hospital and family", "Settlement"), "direct/panels/shares.html", shares, "main"),
        ("limits", _("Limits"), "claims/panels/limits.html", _billed(claims.limits), "main"),
        ("visits", _("Visits and bills"), "claims/panels/visits.html", _billed(claims.visits), "main"),
        ("history", _("History of five years"), "claims/panels/history.html", claims.history, "main"),
        ("checklist", _("Papers"), "documents/panels/checklist.html", _billed(claims.checklist), "aside"),
        ("letters", _("Letters"), "documents/panels/letters.html", claims.letters, "aside"),
        ("statutory", _("How the time limits were counted"), "claims/panels/statutory.html", claims.statutory, "aside"),
    ):  # fmt: skip
        kind.panels.append(Panel(name, title, template, fill, side))

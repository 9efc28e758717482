"""Demo data: children, their claims of the last weeks in every state, made by the same actions as real ones.

`build(now)` is idempotent: it does nothing when demo claims are there. Everything is dated around `now`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from stdnum.cn import ric

from apps.accounts.actors import SYSTEM, Actor, actor_of_user
from apps.accounts.models import User
from apps.cases.engine import perform
from apps.cases.models import CaseFile
from apps.claims import demo_scans
from apps.claims.actions.intake import assess_report, report_claim
from apps.claims.assess import assess
from apps.claims.demo_reports import (
    large,
    mixed,
    ordinary,
    private,
    private_emergency,
    settled,
    stay,
    unpayable,
)
from apps.claims.models import Claim, Inquiry, Original
from apps.claims.originals import missing_originals
from apps.claims.workflow import ClaimFlow
from apps.documents.models import Paper, StoredFile
from apps.documents.storage import store_bytes
from apps.hospitals.models import Campus, Hospital
from apps.members.models import Guardian, Member, Policy
from apps.payments.actions import make_file, release_file
from apps.payments.models import PaymentOrder
from apps.products.models import Plan
from apps.products.queries import current_handbook

SURNAMES, NAMES = (
    "王李张刘陈杨赵黄周吴徐孙",
    ("子涵", "一诺", "浩然", "梓萱", "宇轩", "欣怡", "奕辰", "可馨", "沐宸", "语桐"),
)
SERIES = ("2026", "2024")


@dataclass
class Stage:
    """One kind of demo claim: how many, how old, what is reported, and how far it went."""

    name: str
    walk: Callable[[Demo, CaseFile, datetime], Any]
    days: tuple[int, ...]
    report: Callable[[Demo, datetime, str], dict[str, Any]]
    complete: bool = True


@dataclass
class Demo:
    now: datetime
    actors: dict[str, Actor] = field(default_factory=dict)
    children: dict[str, list[Member]] = field(default_factory=dict)
    public: list[Hospital] = field(default_factory=list)
    private: Hospital | None = None
    numbers: Any = field(default_factory=lambda: itertools.count(1))
    turn: Any = field(default_factory=itertools.count)

    def actor(self, role: str) -> Actor:
        if role not in self.actors:
            self.actors[role] = actor_of_user(User.objects.get(username=role))
        return self.actors[role]

    def do(self, case: CaseFile, action: str, role: str, when: datetime, **data: Any) -> CaseFile:
        actor = SYSTEM if role == "system" else self.actor(role)
        perform(case.number, action, actor, now=min(when, self.now), **data)
        return self.see(case)

    def see(self, case: CaseFile) -> CaseFile:
        return ClaimFlow.objects.select_related("handbook", "member", "policy__plan", "claim__payee").get(
            pk=case.pk
        )


def build(now: datetime | None = None) -> int:
    """Make the demo claims; returns how many were made (0 when they are there)."""
    now = now or timezone.now()
    if Member.objects.filter(number__startswith="DEMO").exists():
        return 0
    demo = Demo(now)
    find_hospitals(demo)
    for series in SERIES:
        demo.children[series] = [_child(series, index, now) for index in range(14)]
    before = Claim.objects.count()
    for series in SERIES:
        for stage in STAGES:
            for days in stage.days:
                make(demo, stage, series, days)
    return Claim.objects.count() - before


def make(demo: Demo, stage: Stage, series: str, days: int) -> None:
    """One claim, reported that many days ago, for the next child of the series."""
    at = demo.now - timedelta(days=days, hours=next(demo.turn) % 5)
    data = stage.report(demo, at, series)
    if stage.complete:
        data["papers"] = _papers(demo, data, at)
    case = report_claim(demo.actor("service_specialist"), data=data, now=at)
    stage.walk(demo, demo.see(case), at)


# --- People and places ------------------------------------------------------------------------------


def find_hospitals(demo: Demo) -> None:
    """Those that demo claims name; made where nobody imported any."""
    found = Hospital.objects.filter(ownership="PUBLIC", grade=3, active=True).order_by("code")[:6]
    demo.public = list(found) or [_hospital("DEMO-P1", "示例市儿童医院", "PUBLIC", 3)]
    demo.private = Hospital.objects.filter(ownership="PRIVATE").order_by("code").first() or _hospital(
        "DEMO-P2", "示例私立诊所", "PRIVATE", None
    )


def _hospital(code: str, name: str, ownership: str, grade: int | None) -> Hospital:
    row = Hospital.objects.create(
        code=code, name=name, ownership=ownership, grade=grade, city="上海", sample=True
    )
    Campus.objects.create(hospital=row, code="01", name="本部")
    return row


def _child(series: str, index: int, now: datetime) -> Member:
    today = timezone.localtime(now).date()
    born = date(today.year - 2 - index % 8, 1 + index % 12, 3 + index)
    surname = SURNAMES[index % len(SURNAMES)]
    sex = "M" if index % 2 else "F"
    member = Member.objects.create(
        number=f"DEMO{series}{index:02d}", name=surname + NAMES[(index * 3 + int(series)) % len(NAMES)], sex=sex,
        birth_date=born, id_type="RESIDENT_ID", id_number=_resident(born, int(series) % 100 * 2 + index * 4 + (sex == "M")),
        social_insurance=index % 5 == 0,
    )  # fmt: skip
    Guardian.objects.create(
        member=member, name=f"{surname}{'建国' if index % 2 else '秀英'}", relation="FATHER" if index % 2 else "MOTHER",
        id_type="RESIDENT_ID", id_number=_resident(date(1988, 4, 6), 100 + index), mobile=f"139{int(series):04d}{index:04d}",
        email=f"parent{series}{index:02d}@example.com", is_policyholder=True,
    )  # fmt: skip
    handbook = current_handbook(series).handbook
    plans = list(Plan.objects.filter(series=series).order_by("code"))
    starts = today - timedelta(days=240)
    Policy.objects.create(
        number=f"DEMO-P{series}-{index:02d}", member=member, plan=plans[index % len(plans)], series=series, tpa=handbook.tpa,
        status="IN_FORCE", effective_on=starts, expires_on=starts + timedelta(days=364), concluded_on=starts - timedelta(days=370),
        continuous_since=starts - timedelta(days=365), renewed=True, riders=["VACCINE"],
    )  # fmt: skip
    return member


def _resident(born: date, serial: int) -> str:
    number = f"310104{born:%Y%m%d}{serial % 1000:03d}"
    return number + ric.calc_check_digit(number + "0")


# --- Papers -------------------------------------------------------------------------------------------


def _papers(demo: Demo, data: dict[str, Any], at: datetime) -> list[dict[str, Any]]:
    """Every paper the check list asks for, with a picture."""
    found = assess_report(demo.actor("service_specialist"), data, now=at)
    papers = [_paper(demo, data, "INVOICE", "bill:1.1", at)]
    for entry in found.lacking:
        if entry.key == "PHOTO_ID":
            papers.append(_paper(demo, data, "GUARDIAN_ID", "", at))
        if entry.key not in ("INVOICE", "INVOICE_ANNOTATION"):
            papers.append(_paper(demo, data, entry.key, "", at))
    return papers


def _paper(demo: Demo, data: dict[str, Any], kind: str, subject: str, at: datetime) -> dict[str, Any]:
    file = _scan(demo, data, kind)
    paper: dict[str, Any] = {
        "kind": kind,
        "file": file.sha256,
        "form": "IMAGE",  # originals are logged when the parcel is here
        "subject": subject,
        "pages": 2,
    }
    if kind.endswith("_ID"):
        paper["valid_until"] = timezone.localtime(at).date() + timedelta(days=1500)
    return paper


def _scan(demo: Demo, data: dict[str, Any], kind: str) -> StoredFile:
    visit = data["visits"][0]
    member = Member.objects.get(number=data["member"]["number"])
    hospital = Hospital.objects.get(code=visit["hospital"]).name
    if kind == "INVOICE":
        content = demo_scans.invoice(visit["bills"][0], hospital, member.masked_name, annotated=True)
        name = f"发票{visit['bills'][0]['number']}.jpg"
    elif kind.endswith("_ID"):
        content, name = (
            demo_scans.identity(member.name, member.birth_date.isoformat(), member.id_masked),
            "证件.jpg",
        )
    elif kind.endswith(("FORM", "APPLICATION")):
        content, name = demo_scans.form("理赔申请表", member.name), "申请表.pdf"
    else:
        diagnosis = visit["diagnoses"][0]["name"]
        content = demo_scans.record(hospital, visit["department"], str(visit["started_on"]), diagnosis)
        name = f"{kind.lower()}.jpg"
    with transaction.atomic():
        return store_bytes(content, name, "application/pdf" if name.endswith("pdf") else "image/jpeg")


def tick(demo: Demo, case: CaseFile, at: datetime) -> None:
    """The clerk looked at everything."""
    papers = list(Paper.objects.filter(case=case.pk, legible=None))
    identity = [paper.pk for paper in papers if paper.kind.endswith("_ID")]
    others = [paper.pk for paper in papers if paper.pk not in identity]
    seen = {"legible": True, "color": True, "signed": True}
    for chosen, more in ((others, {"annotated": True}), (identity, {"has_photo": True})):
        if chosen:
            demo.do(case, "tick_paper", "intake", at, papers=chosen, **seen, **more)


# --- How far they went --------------------------------------------------------------------------------


def stop(demo: Demo, case: CaseFile, at: datetime) -> None:
    """It stays where intake put it."""


def checked(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    tick(demo, case, at + timedelta(hours=1))
    if case.state == "AWAITING_ORIGINALS":
        case = originals(demo, case, at + timedelta(days=1))
    return demo.do(case, "check_materials", "intake", at + timedelta(days=1, hours=1))


def originals(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    """The parcel is here with every original the check list asks for."""
    return demo.do(
        case, "log_originals", "mailroom", at, tracking_number=courier(case), shelf=f"A-{case.pk % 24 + 1:02d}",
        items=wanted(case),
    )  # fmt: skip


def courier(case: CaseFile, parcel: int = 1) -> str:
    return f"SF{case.pk:010d}{parcel}"


def wanted(case: CaseFile) -> list[dict[str, Any]]:
    return [
        {"kind": entry.key, "place": entry.place, "sheets": entry.pages}
        for entry in missing_originals(assess(case, timezone.now()))
    ]


def announced(demo: Demo, case: CaseFile, at: datetime) -> None:
    sent = timezone.localtime(at).date()
    demo.do(case, "record_tracking", "service_specialist", at, tracking_number=courier(case), sent_on=sent)


def refused_parcel(demo: Demo, case: CaseFile, at: datetime) -> None:
    """Collect on delivery; where the series takes it in, the parcel is simply here (RMB-23)."""
    demo.do(
        case,
        "log_originals",
        "mailroom",
        at + timedelta(days=1),
        collect_on_delivery=True,
        items=wanted(case),
    )


def half_a_parcel(demo: Demo, case: CaseFile, at: datetime) -> None:
    """The invoice came damaged, the rest is on its way in another parcel."""
    invoice = [
        item | {"condition": "DAMAGED", "note": "右上角撕裂，号码可辨"}
        for item in wanted(case)
        if item["kind"] == "INVOICE"
    ]
    demo.do(
        case, "log_originals", "mailroom", at + timedelta(days=2), tracking_number=courier(case), items=invoice,
        more_expected=True, shelf="B-03",
    )  # fmt: skip


def reminded(demo: Demo, case: CaseFile, at: datetime) -> None:
    for days in (7, 14, 28):
        case = demo.do(case, "remind_papers", "system", at + timedelta(days=days))


def never_mailed(demo: Demo, case: CaseFile, at: datetime) -> None:
    demo.do(case, "close_no_papers", "supervisor", demo.now)


def came_late(demo: Demo, case: CaseFile, at: datetime) -> None:
    case = demo.do(case, "close_no_papers", "supervisor", demo.now - timedelta(days=2))
    demo.do(
        case, "log_more_originals", "mailroom", demo.now - timedelta(days=1), items=wanted(case), shelf="C-01"
    )


def sent_back(demo: Demo, case: CaseFile, at: datetime) -> None:
    case = originals(demo, case, at + timedelta(days=1))
    case = demo.do(
        case, "withdraw", "service_specialist", at + timedelta(days=2), reason="家长改由学校保险理赔"
    )
    rows = list(Original.objects.filter(claim=case.pk).values_list("pk", flat=True))
    demo.do(
        case, "return_originals", "mailroom", at + timedelta(days=3), originals=rows, tracking_number=courier(case, 2),
        reason="撤案，退还原件",
    )  # fmt: skip


def review(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    return demo.do(checked(demo, case, at), "start_review", "first_review", at + timedelta(days=1, hours=2))


def decide(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    role = "senior_adjuster"
    case = review(demo, case, at)
    return demo.do(case, "decide", role, at + timedelta(days=2))


def second(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    case = review(demo, case, at)
    return demo.do(case, "decide", "first_review", at + timedelta(days=2), reason="费用合理，建议赔付")


def in_file(demo: Demo, case: CaseFile, at: datetime) -> PaymentOrder:
    order = PaymentOrder.objects.get(case=case.pk, state="ORDERED")
    file = make_file(demo.actor("finance"), [order.number], now=min(at, demo.now))
    release_file(demo.actor("payment_check"), file.number, now=min(at, demo.now))
    return order


def pay(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    case = decide(demo, case, at)
    if case.state != "PAYMENT_PENDING":
        return case
    order = in_file(demo, case, at + timedelta(days=3))
    return demo.do(
        case,
        "payment_done",
        "finance",
        at + timedelta(days=4),
        order=order.number,
        bank_reference=f"ICBC{order.pk:08d}",
    )


def returned(demo: Demo, case: CaseFile, at: datetime) -> None:
    case = decide(demo, case, at)
    order = in_file(demo, case, at + timedelta(days=3))
    demo.do(
        case,
        "payment_returned",
        "finance",
        at + timedelta(days=4),
        order=order.number,
        reason="账号与户名不符",
    )


def supplement(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    case = demo.do(case, "check_materials", "intake", at + timedelta(hours=3))
    return demo.do(
        case,
        "supplement_delivered",
        "system",
        at + timedelta(hours=4),
        at=min(at + timedelta(hours=4), demo.now),
        evidence="e-mail",
    )


def no_papers(demo: Demo, case: CaseFile, at: datetime) -> None:
    demo.do(supplement(demo, case, at), "close_no_papers", "supervisor", demo.now)


def dispute(demo: Demo, case: CaseFile, at: datetime) -> None:
    demo.do(
        review(demo, case, at),
        "open_dispute",
        "supervisor",
        at + timedelta(days=2),
        reason="诊断与用药不符，请医院说明",
        lines=["1.1.1"],
    )


def medical(demo: Demo, case: CaseFile, at: datetime) -> CaseFile:
    return demo.do(
        review(demo, case, at), "order_medical_review", "first_review", at + timedelta(days=2),
        question="住院指征是否充分？第二项检查与诊断是否相关？", given_to=demo.actor("medical_review").user_id,
    )  # fmt: skip


def medical_answered(demo: Demo, case: CaseFile, at: datetime) -> None:
    case = medical(demo, case, at)
    demo.do(
        case, "answer_inquiry", "medical_review", at + timedelta(days=3), opinion="PARTLY",
        inquiry=Inquiry.objects.get(claim=case.pk).pk, answer="住院指征充分；第二项检查与本次诊断关联不足，建议请医院补充说明。",
    )  # fmt: skip


def investigation(demo: Demo, case: CaseFile, at: datetime) -> None:
    demo.do(
        review(demo, case, at), "open_dispute", "senior_adjuster", at + timedelta(days=2), ground="investigation",
        reason="同日两家医院就诊，请核实就诊记录", given_to=demo.actor("investigation").user_id,
    )  # fmt: skip


def undisputed(demo: Demo, case: CaseFile, at: datetime) -> None:
    """Day 60 came in the middle of a dispute: what is certain is paid first (LAW-05)."""
    dispute(demo, case, at)
    case = demo.do(
        case, "pay_undisputed", "senior_adjuster", at + timedelta(days=57), reason="医院尚未答复首项费用"
    )
    if case.claim.decided_fen:
        in_file(demo, case, at + timedelta(days=58))


def withdraw(demo: Demo, case: CaseFile, at: datetime) -> None:
    demo.do(case, "withdraw", "service_specialist", at + timedelta(days=1), reason="家长来电撤回申请")


def reject(demo: Demo, case: CaseFile, at: datetime) -> None:
    demo.do(case, "confirm_refusal", "intake", at + timedelta(hours=5))


def reopen(demo: Demo, case: CaseFile, at: datetime) -> None:
    demo.do(
        pay(demo, case, at), "reopen", "supervisor", at + timedelta(days=6), reason="家长补充了另一张费用清单"
    )


STAGES = (
    Stage("submitted online", stop, (0, 0, 1), ordinary),
    Stage("awaiting originals", stop, (1, 4), stay),
    Stage("awaiting originals, parcel announced", announced, (2,), stay),
    Stage("awaiting originals, refused at the door", refused_parcel, (3,), stay),
    Stage("awaiting originals, half a parcel", half_a_parcel, (6,), stay),
    Stage("awaiting originals, reminded", reminded, (33,), stay),
    Stage("closed, originals never came", never_mailed, (186,), stay),
    Stage("reopened, originals came late", came_late, (189,), stay),
    Stage("withdrawn, originals sent back", sent_back, (13,), stay),
    Stage("under review, medical review asked", medical, (3,), mixed),
    Stage("under review, medical opinion given", medical_answered, (6,), mixed),
    Stage("under investigation", investigation, (5,), mixed),
    Stage("in dispute, day 60 near", dispute, (56,), mixed),
    Stage("in dispute, undisputed part paid", undisputed, (59,), mixed),
    Stage("originals received", lambda d, c, at: originals(d, c, at + timedelta(days=1)), (2,), stay),
    Stage("pending papers", supplement, (3, 24), ordinary, complete=False),
    Stage("complete", checked, (2, 4), ordinary),
    Stage("under review", review, (2, 5), mixed),
    Stage("under review, large", review, (6,), stay),
    Stage("under review, settled", review, (9,), settled),
    Stage("in dispute", dispute, (7,), mixed),
    Stage("second review", second, (4, 8), large),
    Stage("payment pending", decide, (4, 12), ordinary),
    Stage("returned by the bank", returned, (9,), ordinary),
    Stage("closed", pay, (14, 30, 61, 92), mixed),
    Stage("declined", decide, (10,), unpayable),
    Stage("refusal to be confirmed", stop, (1,), private),
    Stage("refused at intake", reject, (8,), private),
    Stage("emergency hold", stop, (0,), private_emergency),
    Stage("withdrawn", withdraw, (11,), ordinary),
    Stage("closed, papers never came", no_papers, (190,), ordinary, complete=False),
    Stage("reopened", reopen, (20,), settled),
)

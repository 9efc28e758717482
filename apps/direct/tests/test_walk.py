"""From the hospital's bill to the end, in both series; every state, and what each step writes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from apps.cards.models import Card
from apps.cases.engine import perform
from apps.claims.models import Decision
from apps.claims.tests.world import events
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed
from apps.direct.models import Collected, DirectClaim, HospitalPayment
from apps.direct.queries import paid_not_covered, self_pay, unsettled
from apps.direct.tasks import close_paid
from apps.direct.tests.world import Direct
from apps.documents.models import BillRegister, Letter, Paper
from apps.ledger.models import LimitAccount, MoneyAccount
from apps.messaging.models import Message

pytestmark = pytest.mark.django_db


def account(world: Direct, series: str = "2026", key: str = "annual") -> LimitAccount:
    return LimitAccount.objects.get(policy=world.policy_of(series), key=key)


@pytest.mark.both_databases
@pytest.mark.parametrize("series", ["2024", "2026"])
def test_sent_reviewed_decided_paid_closed(world: Direct, series: str, rulebook: Any) -> None:
    lines = [world.line("800.00", collected="100.00"), world.line("90.00", kind="NO_SHOW", collected="90.00")]
    visit = world.visit([world.bill(lines=lines)], hospital="PRI")
    case = world.seen(world.send(visit, series=series))
    assert case.state == "UNDER_REVIEW"
    assert world.clock(case, "claim.decision").state == "RUNNING"
    assert not case.clocks.filter(key="claim.payment").exists()
    case = world.do(case, "decide", by="senior")
    decided = Decision.objects.get(claim=case.pk)
    share = self_pay(case)
    assert (case.state, decided.outcome) == ("ADJUDICATED", "PARTIAL")
    assert share.total_fen == 890_00 - decided.insurer_fen
    assert dict(share.breakdown)["NO_SHOW"] == 90_00
    assert share.open_fen == share.total_fen - share.collected_fen
    assert set(Collected.objects.values_list("amount_fen", flat=True)) == {100_00, 90_00}
    owed = MoneyAccount.objects.get(reference=case.number)
    assert (owed.party, owed.balance) == ("HOSPITAL", decided.insurer_fen)
    assert account(world, series).used == decided.insurer_fen
    told = {message.template: message.body for message in Message.objects.filter(case=case.pk)}
    assert "爽约" in told["direct_decided"] or "90.00" in told["direct_decided"]
    assert "医院" in told["direct_decision"] or "悦安诊所" in told["direct_decision"]
    assert Letter.objects.get(case=case.pk).context["hospital"]["own_fen"] == share.total_fen
    assert [row.payable_fen for row in unsettled(hospital_id=case.hospital_id)] == [decided.insurer_fen]
    case = world.settle(case)
    assert (case.state, unsettled().count()) == ("PAID_TO_HOSPITAL", 0)
    assert close_paid() == 1
    case = world.look(case)
    assert (case.state, case.open, case.next_due) == ("CLOSED", False, None)
    assert events(case)[0] == "submitted"
    assert {"decided", "paid_to_hospital", "closed"} <= set(events(case)) | {"decided", "paid_to_hospital"}
    for rule in {"2024": ("DBO-02", "REC-05", "BIL-22"), "2026": ("DBO-01", "BIL-01", "REC-04")}[series]:
        rulebook.read_back(rule, told["direct_decided"])


# --- Intake ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("series", "kind"), [("2024", "SIGNED_BILL"), ("2026", "DIRECT_CLAIM_FORM"), ("2026", "SIGNED_RECEIPT")]
)
def test_without_a_signature_it_is_incomplete_until_it_comes(world: Direct, series: str, kind: str) -> None:
    case = world.send(series=series, papers=world.kit(series, without=kind))
    assert case.state == "INTAKE_INCOMPLETE"
    assert Message.objects.get(case=case.pk, template="direct_papers").recipient
    unsigned = Paper.objects.create(
        case=case,
        kind=kind,
        form="COPY",
        received_at=world.now,
        legible=True,
        color=True,
        signed=False,
        file=world.file,
    )
    world.seen_only(case)
    assert world.do(case, "check_intake", by="intake").state == "INTAKE_INCOMPLETE"
    case = world.do(case, "tick_paper", by="intake", papers=[unsigned.pk], signed=True)
    assert case.state == "UNDER_REVIEW"


@pytest.mark.parametrize(("amount", "state"), [("9999.99", "UNDER_REVIEW"), ("10000.00", "ID_PENDING")])
def test_kyc01_a_claim_that_reaches_the_threshold_waits_for_photo_identity(
    world: Direct, amount: str, state: str
) -> None:
    drug = [world.line("2999.00", name=f"药{n}", kind="DRUG") for n in range(3)]
    rest = f"{float(amount) - 8997:.2f}"
    lines = [*drug, world.line(rest, kind="TREATMENT", name="治疗")]
    case = world.send(world.visit([world.bill(lines=lines)], hospital="PRI"), papers=world.kit("2026"))
    case = world.seen(case)
    assert case.state == state
    if state == "ID_PENDING":
        assert Message.objects.filter(case=case.pk, template="direct_identity").count() == 1
        with pytest.raises(Blocked):
            world.do(case, "decide", by="senior")
        paper = Paper.objects.create(
            case=case,
            kind="PASSPORT",
            form="COPY",
            subject="INSURED",
            received_at=world.now,
            file=world.file,
            pages=1,
        )
        case = world.do(
            case, "tick_paper", by="intake", papers=[paper.pk], legible=True, color=True, has_photo=True
        )
        assert case.state == "UNDER_REVIEW"


def test_vis01_card_and_identity_are_checked(world: Direct) -> None:
    own = Card.objects.get(policy=world.policy_of("2026"))
    other = Card.objects.get(policy=world.policy_of("2024"))
    with pytest.raises(InvalidInputs) as refused:
        world.send(card=other.number)
    assert [(error.field, error.rule) for error in refused.value.errors] == [("card", "VIS-04")]
    papers = [paper for paper in world.kit() if paper["kind"] != "CARD_CHECK"]
    case = world.send(card=own.number, id_type="RESIDENT_ID", papers=papers)
    direct = world.direct(case)
    assert (direct.card_number, direct.flags) == (own.number, ["IDENTITY_DIFFERS"])
    assert set(Paper.objects.filter(case=case.pk, form="DATA").values_list("kind", flat=True)) == {
        "CARD_CHECK", "IDENTITY_CHECK",
    }  # fmt: skip
    late = world.send(papers=papers, id_type="")
    assert late.state == "INTAKE_INCOMPLETE"
    late = world.do(late, "record_identity", by="intake", card=own.number, id_type="PASSPORT", id_photo=True)
    assert late.state == "INTAKE"


def test_law11_a_bill_is_accepted_once_whoever_sends_it(world: Direct) -> None:
    bill = world.bill()
    case = world.send(world.visit([bill], hospital="PRI"))
    with pytest.raises(Blocked) as refused:
        world.send(world.visit([bill], hospital="PRI", department="外科"))
    assert (refused.value.rule, refused.value.code) == ("LAW-11", "BILL_SEEN")
    with pytest.raises(Blocked) as refused:
        world.claim(world.visit([bill]))
    assert refused.value.rule == "LAW-11"
    world.do(case, "withdraw", by="intake", reason="误发")
    assert not BillRegister.objects.filter(released_at=None).exists()
    assert world.send(world.visit([bill], hospital="PRI")).state == "INTAKE"


@pytest.mark.parametrize(
    ("series", "rule", "state"), [("2024", "DBO-03", "REFUSAL_PENDING"), ("2026", "APP-03", "EMERGENCY_HOLD")]
)
def test_dbo03_a_visit_billed_directly_is_not_claimed_again(
    world: Direct, series: str, rule: str, state: str
) -> None:
    world.list_hospital("PUB", series, direct_billing=["OUTPATIENT"])
    world.send(world.visit(), series=series)
    case = world.claim(world.visit([world.bill("55.00")]), series=series)
    assert case.state == state
    found = case.events.get(name__in=["refusal_proposed", "emergency_held"]).data["findings"]
    assert any("ALREADY_DIRECT_BILLED" in one for one in found)
    other = world.claim(world.visit([world.bill("56.00")], department="眼科"), series=series)
    assert not any("ALREADY_DIRECT_BILLED" in str(one) for one in other.events.get(seq=1).data["findings"])


# --- Without authorization ---------------------------------------------------------------------------------------


def costly(world: Direct) -> dict[str, Any]:
    lines = [
        world.line("100.00", name="诊察费", kind="CONSULT"),
        world.line("3500.00", name="生物制剂", kind="DRUG"),
    ]
    return world.visit([world.bill(lines=lines)], hospital="PRI")


def test_pa05_listed_items_wait_for_a_person_who_pays_or_refuses_them_only(world: Direct) -> None:
    case = world.seen(world.send(costly(world)))
    assert case.state == "PA_EXCEPTION"
    for actor in (world.hospital_client("PRI"), world.actor("finance")):
        with pytest.raises(NotAllowed):
            perform(case.number, "decide_exception", actor, pay=False, reason="no")
    with pytest.raises(Blocked) as refused:
        world.do(case, "answer_finding", finding="PA_MISSING@visit:1", accept=True, reason="ok")
    assert refused.value.rule == "PA-05"
    case = world.do(case, "decide_exception", pay=False, reason="非紧急，未申请")
    assert case.state == "UNDER_REVIEW"
    case = world.do(case, "decide", by="senior")
    lines = Decision.objects.get(claim=case.pk).lines.order_by("pk")
    assert [line.insurer_fen > 0 for line in lines] == [True, False]
    assert dict(self_pay(case).breakdown)["NO_AUTHORIZATION"] == 3500_00
    paid = world.do(world.seen(world.send(costly(world))), "decide_exception", pay=True, reason="病情需要")
    paid = world.do(paid, "decide", by="senior")
    assert all(line.insurer_fen > 0 for line in Decision.objects.get(claim=paid.pk).lines.all())


def test_pr07_a_series_without_penalty_warns_and_refuses_on_a_named_clause_only(world: Direct) -> None:
    lines = [
        world.line("100.00"),
        world.line("6000.00", name="核磁共振", procedure_categories=["MAJOR_EXAM"]),
    ]
    case = world.seen(world.send(world.visit([world.bill(lines=lines)], hospital="PRI"), series="2024"))
    assert case.state == "UNDER_REVIEW"
    with pytest.raises(InvalidInput) as refused:
        world.do(case, "decide_exception", pay=False, reason="未申请")
    assert (refused.value.field, refused.value.rule) == ("clause", "PR-07")
    case = world.do(case, "decide_exception", pay=False, reason="未申请", clause="合同第8.2条")
    case = world.do(case, "decide", by="senior")
    assert [line.disallowed_fen for line in Decision.objects.get(claim=case.pk).lines.order_by("pk")] == [
        0,
        6000_00,
    ]


@pytest.mark.parametrize(("hours", "state"), [(48, "UNDER_REVIEW"), (49, "PA_EXCEPTION")])
def test_pa06_an_emergency_notified_in_time_needs_none(world: Direct, hours: int, state: str) -> None:
    at = world.now - timedelta(hours=hours)
    lines = [world.line("3500.00", name="急救用药", kind="DRUG")]
    visit = world.visit(
        [world.bill(lines=lines)], hospital="PRI", emergency=True, started_on=at.date().isoformat()
    )
    case = world.seen(world.send(visit, emergency_at=at.isoformat()))
    assert case.state == state


# --- The card, the brand, the vaccine ------------------------------------------------------------------------------


@pytest.mark.parametrize(("series", "rule"), [("2024", "BIL-21"), ("2026", "BIL-03")])
def test_bil03_nothing_after_the_card_was_greyed(world: Direct, series: str, rule: str) -> None:
    since = world.now - timedelta(days=3)
    Card.objects.filter(policy=world.policy_of(series)).update(greyed_at=since, greyed_for="欠费")
    with pytest.raises(Blocked) as refused:
        world.send(world.visit(hospital="PRI", started_on="2026-09-14"), series=series)
    assert (refused.value.code, refused.value.rule) == ("greyed", rule)
    assert not DirectClaim.objects.exists()
    assert world.send(world.visit(hospital="PRI", started_on="2026-09-13"), series=series).state == "INTAKE"


def test_vac04_vaccines_stay_with_the_brand_of_the_first_visit(world: Direct) -> None:
    world.hospital("VAC1", ownership="PRIVATE", grade=None, name="美好诊所静安", brand="美好")
    world.hospital("VAC2", ownership="PRIVATE", grade=None, name="美好诊所浦东", brand="美好")
    world.hospital("VAC3", ownership="PRIVATE", grade=None, name="安康诊所", brand="安康")
    policy = world.policy_of("2026")
    policy.riders = ["VACCINE"]
    policy.save()
    for code in ("VAC1", "VAC2", "VAC3"):
        world.list_hospital(code, "2026", "VACCINE", direct_billing=["VACCINE"])

    def shot(code: str) -> Any:
        lines = [
            world.line("400.00", name="13价肺炎疫苗", kind="VACCINE"), world.line("50.00", name="试验疫苗", kind="VACCINE", vaccine_experimental=True),
        ]  # fmt: skip
        visit = world.visit(
            [world.bill(lines=lines)], hospital=code, benefit="VACCINE", department="接种门诊"
        )
        papers = [{"kind": "SIGNED_BILL", "form": "E_SIGNED"}, *world.kit(without="SIGNED_RECEIPT")]
        return world.send(visit, papers=papers)

    first = shot("VAC1")
    assert shot("VAC2").state == "INTAKE"
    with pytest.raises(Blocked) as refused:
        shot("VAC3")
    assert (refused.value.code, refused.value.rule) == ("other_brand", "VAC-04")
    first = world.do(world.seen(first), "decide", by="senior")
    lines = Decision.objects.get(claim=first.pk).lines.order_by("pk")
    assert lines[0].insurer_fen > 0
    assert lines[1].insurer_fen == 0  # HLC-04


# --- Decision, money, reopening --------------------------------------------------------------------------------------


def test_above_ones_authority_another_signs_and_the_hospital_is_told_once(world: Direct) -> None:
    lines = [world.line("2900.00", name=f"药{n}", kind="DRUG") for n in range(3)]
    case = world.review(world.visit([world.bill(lines=lines)], hospital="PRI"))
    case = world.do(case, "decide", by="adjuster")
    assert (case.state, Message.objects.filter(template="direct_decided").count()) == ("SECOND_REVIEW", 0)
    with pytest.raises(NotAllowed):
        world.do(case, "sign", by="adjuster")
    case = world.do(case, "sign", by="senior")
    assert (case.state, Message.objects.filter(template="direct_decided").count()) == ("ADJUDICATED", 1)


def test_nothing_payable_is_declined_with_reasons_and_can_be_reopened(world: Direct) -> None:
    visit = world.visit([world.bill(lines=[world.line("90.00", kind="NO_SHOW")])], hospital="PRI")
    case = world.decided(visit)
    assert (case.state, case.open) == ("DENIED", False)
    assert {"decided", "refused"} <= set(events(case)) | {"decided"}
    assert Letter.objects.get(case=case.pk).kind == "REFUSAL"
    assert paid_not_covered(case) == []
    case = world.do(case, "reopen", by="supervisor", reason="申诉")
    assert (case.state, case.open) == ("UNDER_REVIEW", True)


@pytest.mark.both_databases
def test_rec03_what_was_paid_and_is_not_covered(world: Direct) -> None:
    """Paid on receipt, then decided lower; and paid, reopened, decided lower: both, with the payment."""
    lines = [world.line("700.00"), world.line("90.00", name="爽约费", kind="NO_SHOW")]
    case = world.review(world.visit([world.bill(lines=lines)], hospital="PRI"))
    case = world.settle(case, "P26-AHEAD")
    assert (case.state, world.direct(case).paid_fen) == ("UNDER_REVIEW", 790_00)
    case = world.do(case, "decide", by="senior")
    insurer = Decision.objects.get(claim=case.pk).insurer_fen
    assert (case.state, case.open) == ("CLOSED", False)
    assert sum(fen for _why, fen, _ref in paid_not_covered(case)) == 790_00 - insurer
    assert {ref for _why, _fen, ref in paid_not_covered(case)} == {"P26-AHEAD"}
    assert self_pay(case).open_fen == 0  # owed to the insurer, not to the hospital

    other = world.settle(
        world.decided(world.visit([world.bill("600.00")], hospital="PRI", department="外科"))
    )
    first = Decision.objects.get(claim=other.pk).insurer_fen
    other = world.do(other, "reopen", by="supervisor", reason="发现除外责任")
    change = {"place": "1.1.1", "field": "kind", "value": "NO_SHOW"}
    other = world.do(other, "correct_facts", by="intake", reason="改项目", changes=[change])
    other = world.do(other, "decide", by="senior")
    assert (other.state, paid_not_covered(other)) == ("DENIED", [("NOT_COVERED", first, "P26-1")])
    assert account(world).used == insurer


def test_a_settlement_that_comes_back_is_owed_again(world: Direct) -> None:
    case = world.settle(world.decided())
    amount = world.direct(case).paid_fen
    with pytest.raises(Blocked):
        world.settle(case)
    case = world.do(case, "unsettle", by="finance", reference="P26-1", reason="账号有误")
    assert (case.state, case.open, world.direct(case).paid_fen) == ("ADJUDICATED", True, 0)
    assert sorted(HospitalPayment.objects.values_list("amount_fen", flat=True)) == [-amount, amount]
    assert unsettled().get().payable_fen == amount


def test_reopened_it_is_decided_anew_and_only_the_difference_is_owed(world: Direct) -> None:
    case = world.settle(world.decided(world.visit([world.bill("600.00")], hospital="PRI")))
    first = Decision.objects.get(claim=case.pk).insurer_fen
    case = world.do(case, "reopen", by="supervisor", reason="漏项")
    more = {"bill": "1.1", "line": {"name": "处置费", "kind": "TREATMENT", "amount": "100.00"}}
    change = {"place": "1.1", "field": "amount", "value": "700.00"}
    case = world.do(case, "correct_facts", by="intake", reason="补记", add=[more], changes=[change])
    case = world.do(case, "decide", by="senior")
    second = Decision.objects.get(claim=case.pk, version=2).insurer_fen
    assert second > first
    assert unsettled().get().payable_fen == second - first
    assert account(world).used == second

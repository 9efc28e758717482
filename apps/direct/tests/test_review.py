"""The review of a direct claim: the panel of the decision, its second signature, and questions to others (PR-04)."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.accounts.tests.factories import ApiClientFactory, UserFactory, api_of, make_actor, web_of
from apps.cases.engine import perform
from apps.claims.models import Decision, Inquiry
from apps.core.errors import Blocked, NotAllowed
from apps.direct.tests.world import Direct
from apps.documents.models import Letter
from apps.messaging.models import Message

pytestmark = pytest.mark.django_db


def page_of(roles: tuple[str, ...], number: str, name: str) -> str:
    browser = web_of(UserFactory(username=f"{roles[0]}-{name}", roles=roles))
    answer = browser.get(reverse(f"admin:{name}", args=[number]))
    assert answer.status_code == 200, answer.content
    return str(answer.content.decode())


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_the_panel_says_where_the_money_goes_and_shows_the_letter_that_would_be_sent(
    world: Direct, series: str
) -> None:
    line = world.line("2800.00", kind="TREATMENT", collected="100.00")
    case = world.review(world.visit([world.bill(lines=[line])], hospital="PRI"), series=series)
    browser = web_of(UserFactory(username="decider", roles=("first_review",)))
    form = browser.get(f"/admin/case/{case.number}/do/decide/").content.decode()
    assert reverse("admin:claim-verdict", args=[case.number]) in form
    beside = browser.get(reverse("admin:claim-verdict", args=[case.number])).content.decode()
    assert "支付给医院" in beside
    assert "悦安诊所" in beside
    assert "RMB-12" not in beside  # no payee of a family is asked for
    preview = reverse("admin:claim-letter-preview", args=[case.number])
    shown = browser.post(preview, {"member_text": "孩子已好转"}).content.decode()
    world.do(case, "decide", by="senior", member_text="孩子已好转")
    sent = Letter.objects.get(case=case.pk).context
    assert sent["hospital"]["own_fen"] == sent["hospital"]["collected_fen"] + sent["hospital"]["open_fen"]
    for words in ("孩子已好转", "悦安诊所", f"{sent['hospital']['open_fen'] / 100:,.2f}"):
        assert words in shown


def test_who_signs_sees_what_was_proposed(world: Direct) -> None:
    lines = [world.line("2900.00", name=f"药{n}", kind="DRUG") for n in range(3)]
    case = world.review(world.visit([world.bill(lines=lines)], hospital="PRI"))
    case = world.do(case, "decide", by="adjuster", member_text="请按时复诊")
    amount = f"{case.claim.proposal.insurer_fen / 100:,.2f}"
    browser = web_of(UserFactory(username="signer", roles=("senior_adjuster",)))
    form = browser.get(f"/admin/case/{case.number}/do/sign/").content.decode()
    assert amount in form
    assert "请按时复诊" in form
    assert amount in browser.get(reverse("admin:claim-verdict", args=[case.number])).content.decode()
    preview = browser.post(reverse("admin:claim-letter-preview", args=[case.number])).content.decode()
    assert amount in preview
    assert "请按时复诊" in preview
    assert world.do(case, "sign", by="senior").state == "ADJUDICATED"


@pytest.mark.both_databases
@pytest.mark.parametrize(("series", "clock"), [("2024", "RUNNING"), ("2026", "PAUSED")])
def test_pr04_a_dispute_stops_the_decision_and_the_clock_where_the_series_prints_it(
    world: Direct, series: str, clock: str
) -> None:
    case = world.review(series=series)
    case = world.do(case, "open_dispute", by="supervisor", reason="医院对项目收费有异议", lines=["1.1.1"])
    assert (case.state, world.clock(case, "claim.decision").state) == ("DISPUTED", clock)
    assert world.clock(case, "law.decision").state == "RUNNING"  # only missing papers stop it (LAW-02)
    with pytest.raises(Blocked):
        world.do(case, "decide", by="senior")
    if series == "2024":
        with pytest.raises(Blocked) as refused:
            world.do(case, "suspend", by="supervisor", reason="等待医院答复")
        assert (refused.value.code, refused.value.rule) == ("no_pause", "PR-04")
    row = Inquiry.objects.get(claim=case.pk)
    examiner = make_actor("investigation", username="examiner")
    perform(
        case.number,
        "answer_inquiry",
        examiner,
        now=world.now,
        inquiry=row.pk,
        opinion="SUPPORTED",
        answer="医院已更正",
    )
    case = world.do(case, "close_dispute", by="supervisor", reason="医院已更正")
    assert (case.state, world.clock(case, "claim.decision").state) == ("UNDER_REVIEW", "RUNNING")
    assert world.do(case, "decide", by="senior").state == "ADJUDICATED"


def test_an_opinion_is_waited_for_read_by_staff_and_not_by_the_hospital(world: Direct) -> None:
    case = world.review()
    user = UserFactory(username="dr", roles=("medical_review",), email="dr@example.com")
    case = world.do(case, "order_medical_review", question="用药是否必要？", given_to=user.pk)
    assert Message.objects.get(case=case.pk, template="inquiry").recipient == "dr@example.com"
    with pytest.raises(Blocked) as waits:
        world.do(case, "decide", by="senior")
    assert waits.value.code == "inquiry_open"
    hospital = api_of(ApiClientFactory(hospital="PRI"))
    action = {"version": case.version, "data": {"question": "？？"}}
    assert hospital.post(
        f"/api/v1/cases/{case.number}/actions/order_medical_review/", action
    ).status_code in (403, 404)
    assert "用药是否必要" not in hospital.get(f"/api/v1/direct-claims/{case.number}/").content.decode()
    assert "用药是否必要" not in hospital.get(f"/api/v1/cases/{case.number}/").content.decode()
    with pytest.raises(NotAllowed):
        world.do(
            case,
            "answer_inquiry",
            by="adjuster",
            inquiry=Inquiry.objects.get().pk,
            opinion="UNCLEAR",
            answer="不详",
        )
    perform(
        case.number, "answer_inquiry", make_actor("medical_review", username="dr2"), now=world.now,
        inquiry=Inquiry.objects.get().pk, opinion="SUPPORTED", answer="符合指征",
    )  # fmt: skip
    assert "符合指征" in page_of(("first_review",), case.number, "case")
    assert world.do(case, "decide", by="senior").state == "ADJUDICATED"
    assert Decision.objects.filter(claim=case.pk).count() == 1


def test_withdrawn_in_dispute_nobody_has_to_look_any_more(world: Direct) -> None:
    case = world.do(world.review(), "open_dispute", by="supervisor", reason="重复收费")
    case = world.do(case, "withdraw", by="intake", reason="医院撤回")
    assert (case.state, case.open, case.claim.inquiries_open) == ("WITHDRAWN", False, 0)
    assert Inquiry.objects.get(claim=case.pk).state == "CANCELED"

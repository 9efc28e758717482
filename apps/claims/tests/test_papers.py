"""Originals, the check list, the one supplement notice, and the clocks that papers move."""

from datetime import timedelta

import pytest
import time_machine

from apps.cases.models import CaseFile
from apps.claims.tasks import close_without_papers
from apps.claims.tests.world import World, events
from apps.core.errors import Blocked, InvalidInput, NotAllowed
from apps.documents.models import Letter, Paper
from apps.documents.storage import StoredFile
from apps.messaging.models import Message


def lacking(case: CaseFile) -> list[str]:
    data: list[str] = case.events.filter(name="materials_checked").latest("seq").data["lacking"]
    return data


def mailed(world: World, **fields: object) -> CaseFile:
    return world.claim(world.visit([world.bill("12000.00")]), **fields)


def test_everything_there_completes_the_claim(world: World) -> None:
    case = world.complete()
    assert case.state == "COMPLETE"
    assert events(case)[-2:] == ["materials_checked", "materials_complete"]
    assert world.clock(case, "claim.decision").state == "RUNNING"


def test_law01_one_notice_names_everything_at_once(world: World) -> None:
    case = world.claim()
    world.papers(case, "CLAIM_FORM")
    case = world.do(case, "check_materials", by="intake", text="")
    assert case.state == "MATERIALS_PENDING"
    letter = Letter.objects.get(case=case, kind="SUPPLEMENT")
    assert len(letter.context["missing"]) == len(lacking(case)) >= 3
    assert case.claim.notices == 1
    assert Message.objects.filter(case=case, template="supplement").count() == 1


def test_law01_a_second_notice_needs_a_supervisor_and_a_reason(world: World) -> None:
    case = world.do(world.claim(), "check_materials", by="intake")
    case = world.do(case, "papers_arrived", by="intake")
    case = world.do(case, "check_materials", by="intake")
    assert case.state == "MATERIALS_CHECK"  # still incomplete, and nobody is asked again by itself
    with pytest.raises(Blocked) as caught:
        world.do(case, "request_supplement", by="adjuster", reason="again")
    assert (caught.value.code, caught.value.rule) == ("second_notice", "LAW-01")
    with pytest.raises(InvalidInput):
        world.do(case, "request_supplement", by="supervisor")
    case = world.do(case, "request_supplement", by="supervisor", reason="the first one was lost")
    assert case.state == "MATERIALS_PENDING"
    versions = (
        Letter.objects.filter(case=case, kind="SUPPLEMENT")
        .order_by("version")
        .values_list("version", "state")
    )
    assert list(versions) == [(1, "SUPERSEDED"), (2, "QUEUED")]


def test_nothing_is_asked_for_when_nothing_is_missing(world: World) -> None:
    case = world.claim()
    world.papers(case)
    with pytest.raises(Blocked) as caught:
        world.do(case, "request_supplement", by="intake")
    assert caught.value.code == "nothing_missing"


@pytest.mark.parametrize("series", ["2026", "2024"])
@pytest.mark.parametrize("action", ["check_materials", "request_supplement"])
def test_rmb20_unseen_pictures_stop_the_check_and_the_one_notice(
    world: World, series: str, action: str
) -> None:
    """What came and was not looked at must not be asked for again: there is one notice (LAW-01)."""
    case = world.claim(series=series)
    world.papers(case)
    Paper.objects.filter(case=case, kind="MEDICAL_RECORD").update(legible=None)
    with pytest.raises(Blocked) as caught:
        world.do(case, action, by="intake")
    assert caught.value.code == "unseen"
    assert not Message.objects.filter(case=case, template="supplement").exists()


def test_rmb21_the_annotation_must_be_seen(world: World) -> None:
    case = world.claim()
    world.papers(case)
    Paper.objects.filter(case=case, kind="INVOICE").update(annotated=False)
    case = world.do(case, "check_materials", by="intake")
    assert case.state == "MATERIALS_PENDING"
    assert any(ref.startswith("INVOICE_ANNOTATION") for ref in lacking(case))
    assert "京东安联" in Letter.objects.get(case=case, kind="SUPPLEMENT").context["annotation"]


def test_kyc01_photo_identity_from_the_threshold(world: World) -> None:
    case = world.claim(world.visit([world.bill("10000.00")]))
    world.papers(case)
    Paper.objects.filter(case=case).update(has_photo=False)
    case = world.do(case, "check_materials", by="intake")
    assert any(ref.startswith("PHOTO_ID") for ref in lacking(case))


def test_originals_complete_a_mailed_claim(world: World) -> None:
    case = mailed(world)
    world.papers(case)
    assert case.state == "AWAITING_ORIGINALS"
    with pytest.raises(Blocked):
        world.do(case, "check_materials", by="intake")
    case = world.do(case, "log_originals", by="mail", tracking_number="SF1234567890")
    assert case.state == "ORIGINALS_RECEIVED"
    assert case.claim.tracking_number == "SF1234567890"
    case = world.do(case, "check_materials", by="intake")
    assert case.state == "COMPLETE"


def test_rmb23_collect_on_delivery_is_refused_in_2026_only(world: World) -> None:
    case = world.do(mailed(world), "log_originals", by="mail", collect_on_delivery=True)
    assert case.state == "AWAITING_ORIGINALS"
    assert "parcel_refused" not in events(case)  # an event of the clocks; the case's event is log_originals
    assert case.events.latest("seq").data["refused"]
    other = world.claim(world.stay(), series="2024")
    assert world.do(other, "log_originals", by="mail", collect_on_delivery=True).state == "ORIGINALS_RECEIVED"


def test_rmb25_another_parcel_than_announced(world: World) -> None:
    case = world.do(mailed(world), "record_tracking", by="intake", tracking_number="SF1111111111")
    with pytest.raises(InvalidInput) as caught:
        world.do(case, "log_originals", by="mail", tracking_number="SF2222222222")
    assert caught.value.field == "tracking_number"
    assert (
        world.do(case, "log_originals", by="mail", tracking_number="SF1111111111").state
        == "ORIGINALS_RECEIVED"
    )


def test_law02_the_clock_stands_from_delivery_to_arrival(world: World) -> None:
    case = world.claim(papers=[{"kind": "MEDICAL_RECORD", "form": "DATA"}])
    first = world.clock(case, "law.decision").due_at
    case = world.do(case, "check_materials", by="intake")
    world.do(
        case,
        "supplement_delivered",
        by="system",
        at=world.later(days=1),
        evidence="e-mail",
        now=world.later(days=1),
    )
    assert world.clock(case, "law.decision").state == "PAUSED"
    case = world.do(case, "papers_arrived", by="intake", now=world.later(days=11))
    clock = world.clock(case, "law.decision")
    assert clock.state == "RUNNING"
    assert clock.due_at == first + timedelta(days=10)
    [pause] = clock.pauses.all()
    assert "e-mail" in pause.evidence


def test_papers_that_came_before_the_notice_leave_nothing_to_wait_for(world: World) -> None:
    case = world.claim(papers=[{"kind": "MEDICAL_RECORD", "form": "DATA"}])
    case = world.do(case, "check_materials", by="intake")
    case = world.do(case, "papers_arrived", by="intake")
    world.do(case, "supplement_delivered", by="system", at=world.later(days=1), evidence="late")
    assert world.clock(case, "law.decision").state == "RUNNING"


def test_attached_papers_wake_a_waiting_claim(world: World) -> None:
    case = world.do(world.claim(), "check_materials", by="intake")
    case = world.do(case, "attach_paper", by="intake", kind="CLAIM_APPLICATION", form="DATA")
    assert case.state == "MATERIALS_CHECK"
    assert case.clocks.filter(key="law.decision").exists()


def test_papers_never_come(world: World) -> None:
    case = world.do(world.claim(), "check_materials", by="intake")
    with pytest.raises(Blocked) as caught:
        world.do(case, "close_no_papers", by="supervisor", now=world.later(days=179))
    assert caught.value.code == "too_early"
    case = world.do(case, "close_no_papers", by="system", now=world.later(days=181))
    assert case.state == "CLOSED_NO_PAPERS"
    assert not case.clocks.exclude(state="STOPPED").exists()
    case = world.do(case, "reopen", by="supervisor", reason="papers came after all")
    assert case.state == "MATERIALS_CHECK"


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_papers_that_come_after_all_open_the_claim_again(world: World, series: str) -> None:
    """As the closing message promises, by whatever way they come; a claim closed otherwise stays closed."""
    case = world.do(world.claim(series=series), "check_materials", by="intake")
    late = world.later(days=181)
    case = world.do(case, "close_no_papers", by="system", now=late)
    assert "重新打开本案" in Message.objects.get(case=case, template="papers_closed").body
    case = world.do(case, "attach_paper", by="system", kind="CLAIM_APPLICATION", form="DATA", now=late)
    assert (case.state, case.open, case.closed_at) == ("MATERIALS_CHECK", True, None)
    assert world.clock(case, "law.decision").state == "RUNNING"
    case = world.do(case, "withdraw", by="intake", reason="会员撤回")
    with pytest.raises(Blocked):
        world.do(case, "attach_paper", by="system", kind="CLAIM_APPLICATION", form="DATA")


def test_originals_awaited_in_vain_are_closed_too(world: World) -> None:
    case = mailed(world)
    assert (
        world.do(case, "close_no_papers", by="supervisor", now=world.later(days=181)).state
        == "CLOSED_NO_PAPERS"
    )


def test_who_only_uploads_may_not_check(world: World) -> None:
    case = world.claim()
    with pytest.raises(NotAllowed):
        world.do(case, "check_materials", by="finance")


def test_report_with_files_of_the_store(world: World) -> None:
    file = StoredFile.objects.create(
        sha256="a" * 64, name="scan.png", content_type="image/png", size=10, path="x"
    )
    case = world.claim(papers=[{"kind": "INVOICE", "file": file.sha256, "subject": "bill:1.1"}])
    [paper] = Paper.objects.filter(case=case)
    assert (paper.file, paper.subject) == (file, "bill:1.1")
    assert paper.retain_until is not None


def test_the_sweep_closes_what_waited_in_vain_and_nothing_else(world: World) -> None:
    old = world.do(world.claim(), "check_materials", by="intake")
    fresh = world.claim()
    with time_machine.travel(world.later(days=181), tick=False):
        world.do(fresh, "check_materials", by="intake", now=world.later(days=180))
        assert close_without_papers() == 1
        assert close_without_papers() == 0
    assert (world.see(old).state, world.see(fresh).state) == ("CLOSED_NO_PAPERS", "MATERIALS_PENDING")

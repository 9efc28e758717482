"""Cards: issued, bound as each series says, greyed and restored, shown, checked at the desk."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from apps.accounts.actors import SYSTEM, Actor
from apps.accounts.models import AccessLog
from apps.accounts.tests.factories import UserFactory, web_of
from apps.cards import demo
from apps.cards.actions import grey, restore
from apps.cards.models import BindingFailure, Card, CardCode, CardEvent, CardLink, CardState
from apps.cards.picture import png_of
from apps.cards.queries import face_of, page_token, policies_with_card
from apps.core.errors import Conflict, InvalidInput, NotAllowed
from apps.core.imports import run
from apps.hospitals.tests.factories import make_campus, make_entry, make_hospital
from apps.members.models import Member, Policy
from apps.members.network import Wish, insured_on, look_up
from apps.members.roster import RosterImporter
from apps.members.tests.factories import make_guardian, make_member, make_policy, roster, row
from apps.messaging.delivery import deliver_due
from apps.messaging.models import Message
from apps.products.models import Plan
from apps.products.tests.helpers import load
from tests.api import machine, refusal

pytestmark = pytest.mark.django_db
CARDS = "/api/v1/cards/"
SCOPES = ["cards:read", "cards:write", "cards:verify", "members:read"]
MOTHER = {"account": "wx-mother"}


@pytest.fixture(autouse=True)
def on_a_day() -> Any:
    with time_machine.travel("2026-06-01T04:00:00Z", tick=False) as clock:
        yield clock


@pytest.fixture
def books(db: None) -> None:
    load("2024", "2026", plans=True)


@pytest.fixture
def app(books: None) -> Any:
    return machine(scopes=SCOPES)


def insured(series: str, **fields: Any) -> Member:
    member = make_member(name="曾小明", mobile="13800138000")
    make_guardian(member, mobile="13900139000")
    plan = Plan.objects.filter(series=series, version="NATIONAL").first() if series == "2026" else None
    make_policy(member, series=series, **{"plan": plan, "continuous_since": date(2024, 1, 1)} | fields)
    return member


def card_of(member: Member) -> Card:
    return Card.objects.select_related("policy__plan", "member").get(member=member)


def paper(member: Member, **other: Any) -> dict[str, Any]:
    """What 2026 asks for."""
    return {
        **MOTHER, "series": "2026", "relation": "MOTHER", "name": member.name, "id_type": "RESIDENT_ID",
        "id_number": member.id_number,
    } | other  # fmt: skip


def code_for(app: Any, mobile: str = "13800138000", **who: Any) -> str:
    asked = {"series": "2024", "name": "曾小明", "mobile": mobile} | MOTHER | who
    assert app.post(f"{CARDS}code/", asked).status_code == 202
    message = Message.objects.filter(template="card_code").order_by("-pk").first()
    found = re.search(r"\d{6}", message.body) if message else None
    return found[0] if found else ""


def mobile(code: str, **other: Any) -> dict[str, Any]:
    """What 2024 asks for."""
    return {**MOTHER, "series": "2024", "name": "曾小明", "mobile": "13800138000", "code": code} | other


# --- Issuing --------------------------------------------------------------------------------------------


def test_crd_01_crd_20_a_roster_issues_the_card_with_the_policy(books: None, rulebook: Any) -> None:
    first = [row(series="2026系列"), row(series="2024系列", plan=Plan.objects.filter(series="2024")[0].name),
             row(status="待缴费")]  # fmt: skip
    report = run(RosterImporter(), roster(first), dry_run=False)
    assert not report.errors, report.errors
    run(RosterImporter(), roster([*first, row()]), dry_run=True)  # leaves none behind
    cards = Card.objects.select_related("policy").order_by("policy__series")
    assert [card.policy.series for card in cards] == ["2024", "2026"]
    assert all(len(card.number) == 16 for card in cards)
    for rule, card in zip(("CRD-20", "CRD-01"), cards, strict=True):
        rulebook.read_back(rule, card.issued_at)
    first[2]["status"] = "有效"
    run(RosterImporter(), roster(first), dry_run=False)
    assert Card.objects.count() == 3  # issued meanwhile; the others keep theirs
    assert set(Card.objects.values_list("number", flat=True)) >= {card.number for card in cards}


@pytest.mark.parametrize(
    ("day", "state"),
    [(date(2025, 12, 31), "PENDING"), (date(2026, 1, 1), "ACTIVE"), (date(2026, 12, 31), "ACTIVE"),
     (date(2027, 1, 1), "EXPIRED")],
)  # fmt: skip
def test_crd_01_what_a_card_is_follows_from_the_cover(books: None, day: date, state: str) -> None:
    card = card_of(insured("2026"))
    assert card.state_on(day) == state
    grey(SYSTEM, card, reason="自付账单逾期", rule="BIL-03")
    assert card_of(card.member).state_on(day) == ("EXPIRED" if state == "EXPIRED" else "GREYED")


# --- Binding: 2026 --------------------------------------------------------------------------------------


def test_crd_04_crd_05_several_cards_on_one_account_and_several_accounts(app: Any, rulebook: Any) -> None:
    first, second = insured("2026"), make_member(name="曾小红", sex="F")
    make_policy(second)
    for member in (first, second):
        found = app.post(f"{CARDS}bind/", paper(member))
        assert found.status_code == 201, found.content
    assert app.post(f"{CARDS}bind/", paper(first, account="wx-father", relation="FATHER")).status_code == 201
    assert app.post(f"{CARDS}bind/", paper(first)).status_code == 201  # once more changes nothing
    listed = app.get(CARDS, MOTHER).json()
    assert {row["number"] for row in listed} == {card_of(first).number, card_of(second).number}
    assert [row["state"] for row in listed] == ["ACTIVE", "ACTIVE"]
    assert CardLink.objects.count() == CardEvent.objects.filter(kind="BOUND").count() == 3
    rulebook.read_back("CRD-04", listed)
    number = card_of(first).number
    for _twice in range(2):
        assert app.post(f"{CARDS}{number}/unbind/", MOTHER).status_code == 204
    assert [row["number"] for row in app.get(CARDS, MOTHER).json()] == [card_of(second).number]
    assert len(app.get(CARDS, {"account": "wx-father"}).json()) == 1


@pytest.mark.parametrize(
    ("other", "code", "rule", "field"),
    [
        ({"name": "曾小名"}, "not_as_enrolled", "CRD-05", ""),
        ({"id_type": "PASSPORT", "id_number": "E12345678", "birth_date": "2020-01-01", "sex": "M",
          "valid_until": "2030-01-01"}, "not_as_enrolled", "CRD-05", ""),
        ({"id_number": "310105202001010000"}, "id_check_digit", "CRD-05", "id_number"),
        ({"relation": ""}, "invalid_choice", "", "relation"),
        ({"birth_date": "2020-01-01"}, "not_asked", "CRD-06", "birth_date"),
        ({"id_type": "PASSPORT", "id_number": "E12345678"}, "required", "CRD-06", "birth_date"),
        ({"id_type": "PASSPORT", "id_number": "E12345678", "birth_date": "2020-01-01", "sex": "M",
          "valid_until": "2026-05-31"}, "expired", "CRD-06", "valid_until"),
        ({"code": "123456"}, "not_asked", "CRD-05", "code"),
    ],
)  # fmt: skip
def test_crd_05_crd_06_crd_07_other_data_are_refused_with_the_hotline(
    app: Any, other: dict[str, Any], code: str, rule: str, field: str, rulebook: Any
) -> None:
    found = app.post(f"{CARDS}bind/", paper(insured("2026"), **other))
    told = refusal(found)
    assert (told.code, told.rule, told.field) == (code, rule, field)
    assert not CardLink.objects.exists()
    if rule:
        assert "950610" in found.json()["message"]
        kept = BindingFailure.objects.get()
        assert (kept.code, kept.rule) == (code, rule)
        rulebook.read_back("CRD-07", kept.words)


def test_crd_06_another_paper_binds_with_birth_date_sex_and_validity(app: Any) -> None:
    member = make_member(id_type="PASSPORT", id_number="E12345678", name="Tom Smith")
    make_policy(member)
    more = {"birth_date": "2020-01-01", "sex": "M", "valid_until": "2030-01-01", "id_type": "PASSPORT"}
    assert app.post(f"{CARDS}bind/", paper(member, **more)).status_code == 201


def test_series_2026_sends_no_code(app: Any) -> None:
    insured("2026")
    asked = {**MOTHER, "series": "2026", "name": "曾小明", "mobile": "13800138000"}
    assert refusal(app.post(f"{CARDS}code/", asked))[:2] == (409, "no_code_in_series")
    assert not Message.objects.exists()


def test_after_ten_failures_only_the_hotline_helps(app: Any) -> None:
    member = insured("2026")
    for _n in range(10):
        app.post(f"{CARDS}bind/", paper(member, name="别人"))
    told = app.post(f"{CARDS}bind/", paper(member))
    assert refusal(told).code == "too_many_attempts"
    assert "950610" in told.json()["message"]


# --- Binding: 2024 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["13800138000", "139 0013 9000"])
def test_crd_24_crd_25_name_and_code_on_the_enrollment_mobile(app: Any, number: str, rulebook: Any) -> None:
    member = insured("2024")
    old = make_policy(member, series="2024", effective_on=date(2025, 7, 1), expires_on=date(2026, 6, 30))
    code = code_for(app, number, account="wx-grandma")
    message = Message.objects.get()
    assert message.recipient == number.replace(" ", "")
    assert code
    assert code not in CardCode.objects.get().digest
    deliver_due()
    message.refresh_from_db()
    assert code not in message.body  # nobody reads it in the outbox afterwards
    found = app.post(f"{CARDS}bind/", mobile(code, mobile=number, account="wx-grandma"))
    assert found.status_code == 201, found.content
    assert len(found.json()) == 2  # both policies at once
    assert old.card.number in {row["number"] for row in found.json()}
    rulebook.read_back("CRD-27", found.json())
    rulebook.read_back("CRD-25", CardLink.objects.first().account)  # type: ignore[union-attr]
    again = app.post(f"{CARDS}bind/", mobile(code, mobile=number, account="wx-grandma"))
    assert refusal(again).code == "code_gone"  # once


def test_crd_24_a_code_is_of_one_account_in_time_and_for_five_guesses(app: Any, on_a_day: Any) -> None:
    insured("2024")
    code = code_for(app)
    wrong = "000000" if code != "000000" else "000001"
    assert refusal(app.post(f"{CARDS}bind/", mobile(code, account="wx-other"))).code == "code_gone"
    for _n in range(5):
        assert refusal(app.post(f"{CARDS}bind/", mobile(wrong))).code == "code_wrong"
    assert refusal(app.post(f"{CARDS}bind/", mobile(code)))[:2] == (409, "code_gone")
    on_a_day.shift(timedelta(minutes=2))
    late = code_for(app)
    on_a_day.shift(timedelta(minutes=6))
    assert refusal(app.post(f"{CARDS}bind/", mobile(late))).code == "code_gone"
    assert not CardLink.objects.exists()


def test_crd_24_crd_26_who_is_not_enrolled_gets_no_code_and_the_hotline(app: Any, rulebook: Any) -> None:
    insured("2024")
    assert code_for(app, name="曾小名") == ""
    assert not Message.objects.exists()
    told = app.post(f"{CARDS}bind/", mobile("123456", name="曾小名"))
    assert refusal(told).rule == "CRD-24"
    assert "021-80209058" in told.json()["message"]
    rulebook.read_back("CRD-26", BindingFailure.objects.get().words)
    assert refusal(app.post(f"{CARDS}bind/", mobile("123456", id_type="PASSPORT"))).rule == "CRD-24"


def test_codes_are_not_sent_without_end(app: Any, on_a_day: Any) -> None:
    insured("2024")
    asked = {**MOTHER, "series": "2024", "name": "曾小明", "mobile": "13800138000"}
    for _n in range(5):
        assert app.post(f"{CARDS}code/", asked).status_code == 202
        assert refusal(app.post(f"{CARDS}code/", asked)).code == "too_soon"
        on_a_day.shift(timedelta(minutes=2))
    assert refusal(app.post(f"{CARDS}code/", asked | {"account": "wx-2"})).code == "too_many_codes"
    assert Message.objects.count() == 5


def test_crd_22_dl_16_a_paper_policy_binds_from_its_first_day(app: Any, on_a_day: Any, rulebook: Any) -> None:
    insured("2024", enroll_channel=Policy.Channel.PAPER, effective_on=date(2026, 6, 2), number="PAPER-1")
    found = app.post(f"{CARDS}bind/", mobile(code_for(app)))
    assert refusal(found)[:2] == (409, "paper_too_early")
    assert refusal(found).rule == "CRD-22"
    assert found.json()["data"] | {"hotline": ""} == {
        "from": "2026-06-02", "rules": ["DL-16"], "hotline": "", "help_rule": "CRD-26",
    }  # fmt: skip
    on_a_day.move_to("2026-06-01T16:00:00Z")  # midnight in Shanghai
    assert app.post(f"{CARDS}bind/", mobile(code_for(app))).status_code == 201


# --- Showing --------------------------------------------------------------------------------------------


def test_crd_02_crd_03_the_card_shows_the_day_in_shanghai_and_its_plan(
    app: Any, on_a_day: Any, rulebook: Any
) -> None:
    member = insured("2026", riders=["VACCINE"])
    app.post(f"{CARDS}bind/", paper(member))
    address = f"{CARDS}{card_of(member).number}/"
    on_a_day.move_to("2026-06-01T16:30:00Z")
    face = app.get(address, MOTHER).json()
    assert (face["shown_on"], face["state"], face["name"]) == ("2026-06-02", "ACTIVE", "曾小明")
    held = {row["code"]: row["held"] for row in face["benefits"]}
    assert held["OUTPATIENT"]
    assert held["VACCINE"]
    assert not held.get("DENTAL")
    rulebook.read_back("CRD-03", face["benefits"])
    picture = app.get(f"{address}image/", MOTHER)
    assert picture["Content-Type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).size == (1012, 638)
    page = Client().get(face["page"])
    assert page.status_code == 200
    assert "2026-06-02" in page.content.decode()
    assert (
        AccessLog.objects.filter(subject=f"member:{member.number}").count() == 4
    )  # bound, shown, picture, page
    on_a_day.shift(timedelta(minutes=11))
    old = Client().get(face["page"])
    assert old.status_code == 404
    assert member.name not in old.content.decode()


def test_crd_21_crd_23_crd_28_the_card_of_2024_shows_no_date_and_eight_functions(
    app: Any, rulebook: Any
) -> None:
    member = insured("2024")
    app.post(f"{CARDS}bind/", mobile(code_for(app)))
    face = app.get(f"{CARDS}{card_of(member).number}/", MOTHER).json()
    assert face["shown_on"] is None
    assert len(face["functions"]) == 8
    rulebook.read_back("CRD-28", face["functions"])
    page = Client().get(face["page"]).content.decode()
    assert {note["rule"] for note in face["notes"]} == {
        "CRD-21",
        "APT-20",
        "BIL-21",
        "DL-46",
        "PA-22",
        "CRD-26",
    }
    assert all(note["text"] in page for note in face["notes"])
    rulebook.read_back("APP-26", face["notes"])
    rulebook.read_back("CRD-23", CardLink.objects.get().client.kind)


def test_a_card_is_seen_by_its_accounts_only(app: Any) -> None:
    member = insured("2026")
    app.post(f"{CARDS}bind/", paper(member))
    number = card_of(member).number
    for api, account in (
        (app, "wx-stranger"), (machine(scopes=SCOPES), "wx-mother"),
        (machine("HOSPITAL", hospital="H1", scopes=SCOPES), "wx-mother"),
    ):  # fmt: skip
        assert api.get(CARDS, {"account": account}).json() == []
        assert refusal(api.get(f"{CARDS}{number}/", {"account": account})).status == 404
        assert refusal(api.get(f"{CARDS}{number}/image/", {"account": account})).status == 404
    assert (
        refusal(machine("HOSPITAL", hospital="H1", scopes=SCOPES).post(f"{CARDS}bind/", paper(member))).status
        == 403
    )
    assert refusal(machine(scopes=SCOPES, member="M-0").post(f"{CARDS}bind/", paper(member))).rule == "CRD-05"
    assert (
        refusal(machine(scopes=SCOPES, series=["2024"]).post(f"{CARDS}bind/", paper(member))).rule == "CRD-05"
    )
    assert (
        refusal(machine(scopes=["cards:read"]).post(f"{CARDS}bind/", paper(member))).code == "missing_scope"
    )
    assert Client().get(f"/card/{page_token(card_of(member), 1)}x/").status_code == 404


def test_a_greyed_card_has_no_color_and_no_code(books: None) -> None:
    card = card_of(insured("2026"))

    def colorful() -> bool:
        face = face_of(card, timezone.now(), whole_name=True)
        picture = Image.open(io.BytesIO(png_of(face))).convert("RGB").resize((40, 25))
        assert bool(face.qr) == (face.state == CardState.ACTIVE)
        pixels = [picture.getpixel((x, y)) for x in range(40) for y in range(25)]
        return any(max(pixel) - min(pixel) > 24 for pixel in pixels)

    assert colorful()
    grey(SYSTEM, card, reason="自付账单逾期", rule="BIL-03")
    card = card_of(card.member)
    assert not colorful()


# --- Greying --------------------------------------------------------------------------------------------


def test_greying_is_done_once_by_who_may_and_kept(books: None) -> None:
    card = card_of(insured("2026"))
    clerk = Actor(label="催缴员", user_id=UserFactory().pk, roles=frozenset({"collections"}))
    with pytest.raises(NotAllowed):
        grey(
            Actor(label="x", user_id=clerk.user_id, roles=frozenset({"intake"})), card, reason="自付账单逾期"
        )
    with pytest.raises(InvalidInput):
        grey(clerk, card, reason=" ")
    greyed = grey(clerk, card, reason="自付账单逾期")
    with pytest.raises(Conflict):
        grey(SYSTEM, card, reason="自付账单逾期")  # the same screen twice
    with pytest.raises(Conflict):
        restore(SYSTEM, card, reason="已付清全部账单")  # read before it was greyed
    restored = restore(clerk, greyed, reason="已付清全部账单")
    assert restored.state_on(date(2026, 6, 1)) == CardState.ACTIVE
    events = CardEvent.objects.filter(card=card).order_by("pk")
    assert list(events.values_list("kind", "actor_label")) == [("GREYED", "催缴员"), ("RESTORED", "催缴员")]
    with pytest.raises(DatabaseError), transaction.atomic():
        events.update(reason="")


# --- The desk -------------------------------------------------------------------------------------------


@pytest.fixture
def desk(books: None) -> Any:
    make_entry(make_campus(make_hospital(code="H1", ownership="PUBLIC")))
    return machine("HOSPITAL", hospital="H1", scopes=SCOPES)


def code_now(card: Card) -> str:
    return face_of(card, timezone.now(), whole_name=True).qr


def check(desk: Any, text: str, **more: Any) -> dict[str, Any]:
    found = desk.post(f"{CARDS}verify/", {"card": text} | more)
    assert found.status_code == 200, found.content
    body: dict[str, Any] = found.json()
    return body


def test_the_desk_learns_what_is_billed_directly(desk: Any) -> None:
    member = insured("2026")
    card = card_of(member)
    for text in (code_now(card), card.spaced):
        found = check(desk, text)
        assert (found["accepted"], found["state"], found["child"]) == (True, "ACTIVE", "曾**")
        covers = {row["benefit"]: row for row in found["covers"]}
        assert covers["OUTPATIENT"]["direct"]
        assert covers["INPATIENT"]["why"]
        assert covers["VACCINE"]["why"][0]["rule"] == "NET-03"
    assert found["mind"][0]["rule"] == "DL-46"
    look_up(SYSTEM, insured_on(member, date(2026, 6, 1)), Wish(on=date(2026, 6, 1)), list)
    after = check(desk, card.number)
    assert after["mind"] == []
    assert after["looked_up_at"]
    assert AccessLog.objects.filter(subject=f"member:{member.number}", what="card check").count() == 3


def test_crd_02_a_card_of_another_day_is_a_picture(desk: Any, on_a_day: Any) -> None:
    card = card_of(insured("2026"))
    code = code_now(card)
    assert check(desk, code)["why"] == []
    on_a_day.shift(timedelta(minutes=11))
    assert [row["code"] for row in check(desk, code)["why"]] == ["STALE"]
    on_a_day.move_to("2026-06-02T04:00:00Z")
    found = check(desk, code)
    assert (found["accepted"], found["shown_on"], found["why"][0]["rule"]) == (False, "2026-06-01", "CRD-02")


def test_crd_21_the_card_of_2024_serves_at_a_public_hospital_by_appointment(desk: Any) -> None:
    card = card_of(insured("2024"))
    group = insured_on(card.member, date(2026, 6, 1)).group
    for code, ownership in (("H2", "PUBLIC"), ("H3", "PRIVATE")):
        make_entry(
            make_campus(make_hospital(code=code, ownership=ownership)), series="2024", network_group=group
        )
        found = check(machine("HOSPITAL", hospital=code, scopes=SCOPES), card.number)
        [outpatient] = [row for row in found["covers"] if row["benefit"] == "OUTPATIENT"]
        assert [row["rule"] for row in outpatient["mind"]] == (["CRD-21"] if ownership == "PUBLIC" else [])


def test_a_greyed_or_ended_card_is_refused_with_its_reason(desk: Any) -> None:
    card = card_of(insured("2026"))
    grey(SYSTEM, card, reason="自付账单逾期", rule="BIL-03")
    found = check(desk, card.number)
    assert (found["accepted"], found["state"], found["covers"]) == (False, "GREYED", [])
    assert (found["why"][0]["rule"], "自付账单逾期" in found["why"][0]["words"]) == ("BIL-03", True)
    assert check(desk, card.number, on="2027-01-01")["state"] == "EXPIRED"


def test_who_may_check_and_what_is_no_card(desk: Any) -> None:
    card = card_of(insured("2026"))
    assert refusal(desk.post(f"{CARDS}verify/", {"card": card.number[:-1] + "x"})).field == "card"
    typo = card.number[:-1] + str((int(card.number[-1]) + 1) % 10)
    assert refusal(desk.post(f"{CARDS}verify/", {"card": typo}))[:2] == (400, "card_number")
    assert refusal(desk.post(f"{CARDS}verify/", {"card": code_now(card)[:-1] + "?"})).status == 404
    assert refusal(desk.post(f"{CARDS}verify/", {"card": card.number, "hospital": "H9"})).status == 403
    assert refusal(machine(scopes=SCOPES).post(f"{CARDS}verify/", {"card": card.number})).status == 403
    assert (
        refusal(machine("TPA", tpa="X", scopes=SCOPES).post(f"{CARDS}verify/", {"card": card.number})).status
        == 403
    )


# --- Staff ----------------------------------------------------------------------------------------------


def test_staff_find_see_grey_and_export_cards(books: None) -> None:
    card = card_of(insured("2026"))
    staff = web_of(UserFactory(roles=["collections"]))
    listed = reverse("admin:cards_card_changelist")
    for query in (
        "?q=曾小明",
        f"?q={card.number}",
        f"?q={card.policy.number}",
        "?state=ACTIVE",
        "?series=2026",
    ):
        assert card.number in staff.get(listed + query).content.decode(), query
    assert card.number not in staff.get(f"{listed}?state=GREYED").content.decode()
    address = reverse("admin:cards_card_state", args=[card.pk, "grey"])
    assert staff.post(address, {"reason": "x"}).status_code == 200
    assert staff.post(address, {"reason": "自付账单逾期"}).status_code == 302
    page = staff.get(reverse("admin:cards_card_change", args=[card.pk])).content.decode()
    assert "自付账单逾期" in page
    assert "data:image/png" in page
    assert "曾小明" not in page
    assert AccessLog.objects.filter(subject=f"member:{card.member.number}", what="card").exists()
    assert (
        card.spaced
        in staff.get(reverse("admin:members_member_change", args=[card.member.pk])).content.decode()
    )
    file = staff.post(reverse("admin:cards_card_export"), {"format": "0", "resource": "0"})
    assert file.status_code == 200
    other = web_of(UserFactory(roles=["intake"]))
    assert other.get(address).status_code == 403
    stranger = web_of(UserFactory(roles=["collections"], tpa="ELSEWHERE"))
    assert stranger.get(address).status_code == 404
    assert staff.get(reverse("admin:cards_bindingfailure_changelist")).status_code == 200


def test_the_demo_has_cards_of_every_state(books: None) -> None:
    UserFactory(username="collections", roles=["collections"])
    for index in range(6):
        number, starts = f"DEMO-P2026-{index:02d}", date(2025, 10, 4)
        make_policy(make_member(), number=number, effective_on=starts, expires_on=date(2026, 10, 3))
    assert demo.build() == 6
    cards = Card.objects.select_related("policy")
    assert {card.state_on(date(2026, 6, 1)) for card in cards} == set(CardState)
    assert (CardLink.objects.count(), BindingFailure.objects.count()) == (3, 1)
    assert demo.build() == 0


def test_pr_03_a_claim_knows_whether_the_policy_has_our_card(books: None) -> None:
    held = card_of(insured("2024")).policy
    applied = make_policy(make_member(), series="2024", status="PENDING")
    assert policies_with_card([held.pk, applied.pk]) == {held.pk}
    assert isinstance(held.card.issued_at, datetime)

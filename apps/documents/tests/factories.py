"""A child with a policy and a case of a kind made for these tests; also used by messaging's tests."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import date, timedelta
from functools import cache
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image, ImageDraw
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter

from apps.accounts.actors import SYSTEM, Actor
from apps.cases import kinds
from apps.cases.context import Ctx
from apps.cases.engine import open_case, perform
from apps.cases.kinds import Action, Kind
from apps.cases.models import CaseFile
from apps.documents.actions import paper_actions
from apps.members.models import Guardian, Member, Policy
from apps.messaging.calls import call_action
from apps.products.actions import publish_handbook, publish_plan
from apps.products.models import HandbookVersion, Plan

PUBLISHER = Actor(label="publisher", roles=frozenset({"manager"}))
DESK = frozenset({"intake", "first_review"})
PLANS = {"2026": "2026-NATIONAL", "2024": "2024-GROWTH"}


class Do:
    """What the action `do` of the test kind runs; set by the test."""

    work: Callable[[Ctx[Any]], Any] = staticmethod(lambda ctx: None)


KIND = Kind(code="desk_test", label="desk test", prefix="Y", workflow=CaseFile, subject="member")
for _action in (*paper_actions(uploaders=DESK, checkers=DESK), call_action(roles=DESK)):
    KIND.action(_action)
KIND.action(Action("do", "Do", DESK, lambda ctx: Do.work(ctx), system=True))


@cache
def text_of(folder: str, name: str) -> str:
    return (settings.BASE_DIR / "fixtures" / folder / f"{name}.toml").read_text()


def handbook(series: str = "2026") -> HandbookVersion:
    found = HandbookVersion.objects.filter(series=series).first()
    return found or publish_handbook(text_of("handbooks", series), PUBLISHER).version


def plan(series: str = "2026") -> Plan:
    found = Plan.objects.filter(series=series).first()
    return found or publish_plan(text_of("plans", PLANS[series]), PUBLISHER)[0]


def make_member(number: str = "M000001", **fields: Any) -> Member:
    found = Member.objects.filter(number=number).first()
    values = {"name": "王小明", "sex": "M", "birth_date": date(2021, 5, 4), "id_type": "PASSPORT"} | fields
    return found or Member.objects.create(number=number, id_number=f"E{number}", **values)


def make_policy(member: Member, series: str = "2026", **fields: Any) -> Policy:
    values: dict[str, Any] = {
        "effective_on": date(2026, 1, 1),
        "expires_on": date(2026, 12, 31),
        "continuous_since": date(2026, 1, 1),
        "status": "IN_FORCE",
        "tpa": "WINDSTONE" if series == "2024" else "",
    } | fields
    found = Policy.objects.filter(member=member, series=series).first()
    return found or Policy.objects.create(
        number=f"P{series}-{member.number}", member=member, plan=plan(series), series=series, **values
    )


def make_guardian(member: Member, **fields: Any) -> Guardian:
    values = {"name": "张䶮", "relation": "MOTHER", "id_type": "PASSPORT", "is_policyholder": True} | fields
    return Guardian.objects.create(member=member, **values)


def make_case(series: str = "2026", member: Member | None = None, **policy: Any) -> CaseFile:
    kinds.KINDS.setdefault(KIND.code, KIND)
    member = member or make_member()
    own = make_policy(member, series, **policy)
    case = CaseFile(series=series, tpa=own.tpa, handbook=handbook(series), member=member, policy=own)
    return open_case(KIND.code, SYSTEM, case=case, state="OPEN", fill=lambda ctx: None)


def within(case: CaseFile, work: Callable[[Ctx[Any]], Any], actor: Actor = SYSTEM) -> Any:
    """Run `work(ctx)` inside an action of the case, as a handler would; its result comes back."""
    kinds.KINDS.setdefault(KIND.code, KIND)
    results: list[Any] = []
    Do.work = staticmethod(lambda ctx: results.append(work(ctx)))
    perform(case.number, "do", actor)
    return results[-1]


# --- Files ----------------------------------------------------------------------------------------------


def upload(data: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


def picture(
    kind: str = "JPEG", size: tuple[int, int] = (300, 400), text: str = "发票", **options: Any
) -> bytes:
    image = Image.new("RGB", size, "white")
    ImageDraw.Draw(image).rectangle((10, 10, size[0] // 2, 40 + len(text)), fill="navy")
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@cache
def pdf(pages: int = 1, size: tuple[int, int] = (595, 842)) -> bytes:
    """White pages of a size in points."""
    writer = PdfFileWriter()
    for _page in range(pages):
        nothing = writer.add_object(StreamObject(stream_data=b""))
        writer.insert_page(PageObject(contents=nothing, media_box=(0, 0, *size)))
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def days_ago(days: int) -> Any:
    return timezone.now() - timedelta(days=days)

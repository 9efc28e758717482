"""One case of every kind, all of one administrator and two hospitals, walked as far as others hang on it.

Strangers then visit every address with the keys of what stands here (`test_strangers.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.apps import apps
from django.contrib.contenttypes.models import ContentType

from apps.accounts.actors import SYSTEM
from apps.accounts.models import AccessLog
from apps.accounts.tests.factories import ApiClientFactory, TeamFactory, make_actor
from apps.advances.actions import apply_for_advance
from apps.appeals.actions import open_appeal
from apps.appointments.actions import request_appointment
from apps.billing.actions import Share, follow_claim
from apps.care.actions import add_record, order_test, request_service
from apps.care.models import HealthRecord
from apps.cases.models import CaseFile
from apps.claims.models import Decision
from apps.claims.tests.world import PAYEE, World
from apps.core.testing_worlds import MadeOnce
from apps.documents.models import Letter, Paper
from apps.documents.storage import store_bytes
from apps.documents.tests.factories import pdf
from apps.enquiries.actions import record
from apps.ledger.models import LimitAccount
from apps.mailroom.inbox.polling import take_in
from apps.mailroom.models import Email
from apps.mailroom.tests.letters import CLAIMS_2024, box, letter
from apps.messaging.outbox import queue_call
from apps.payments.actions import make_file, release_file
from apps.payments.models import PaymentOrder
from apps.products.models import HandbookVersion
from apps.quality.actions.sampling import open_inspection
from apps.recoveries.tests.world import Recoveries
from apps.settlements.models import HospitalAccount, PaymentTerms, Statement
from apps.settlements.tests.world import Settled
from apps.webhooks.actions import create, ping
from apps.webhooks.models import Delivery

SERIES = "2024"
ANY_KIND = ("admin/case/", "api/v1/cases/")  # visited with a case of each kind
NUMBERED: dict[str, Callable[[House], Any]] = {  # whose number it is, by the beginning; else the claim's
    "admin/payments/paymentfile/": lambda house: house.file,
    "admin/hospital-statements/": lambda house: house.statement,
    "admin/advances/": lambda house: house.cases["advance"],
    "admin/bills/": lambda house: house.cases["bill"],
    "api/v1/hospital-statements/": lambda house: house.statement,
    "api/v1/members/": lambda house: house.case.member,
    "api/v1/cards/": lambda house: house.case.policy.card,
    "api/v1/advances/": lambda house: house.cases["advance"],
    "api/v1/appointments/": lambda house: house.cases["appointment"],
    "api/v1/authorizations/": lambda house: house.cases["authorization"],
    "api/v1/bills/": lambda house: house.cases["bill"],
    "api/v1/direct-claims/": lambda house: house.cases["direct"],
    "api/v1/enquiries/": lambda house: house.cases["enquiry"],
    "api/v1/appeals/": lambda house: house.cases["appeal"],
    "api/v1/home-tests/": lambda house: house.cases["test"],
    "api/v1/recoveries/": lambda house: house.cases["recovery"],
    "api/v1/services/": lambda house: house.cases["service"],
}
KEYED = {
    "api/v1/limits/": LimitAccount, "api/v1/papers/": Paper, "api/v1/letters/": Letter,
    "api/v1/handbooks/": HandbookVersion, "admin/mail/": Email, "api/v1/emails/": Email,
    "api/v1/hospital-accounts/": HospitalAccount, "api/v1/hospital-terms/": PaymentTerms,
    "api/v1/webhook-deliveries/": Delivery, "admin/health-archive/": HealthRecord, "api/v1/health-records/": HealthRecord,
}  # fmt: skip
PLACEHOLDER = re.compile(r"<(?:\w+:)?(\w+)>")


class House(metaclass=MadeOnce):
    """`case` is a decided claim; `cases` one of every kind, by kind."""

    def __init__(self) -> None:
        world = Settled()
        world.papers(case := world.claim(series=SERIES))
        assert case.tpa
        case = world.do(world.do(world.do(case, "check_materials", by="intake"), "start_review"), "decide")
        order = PaymentOrder.objects.get(case=case)
        self.file = make_file(world.actor("finance"), [order.number])
        release_file(world.actor("checker"), self.file.number)
        self.case = CaseFile.objects.get(pk=case.pk)
        self._rooms(world)
        stored = store_bytes(pdf(), "scan.pdf", "application/pdf")
        Paper.objects.filter(case=case).update(file=stored)
        Letter.objects.update(file=stored)
        queue_call(None, case=case, purpose="remind", script="王小明", key="call", due_at=world.now)
        AccessLog.objects.create(subject="member:M2024", what="id_number", reason="王小明")
        ApiClientFactory(name="someone's key")
        TeamFactory()
        take_in(box(CLAIMS_2024), letter(f"王小明 {case.number}", files={"发票.pdf": pdf()}))
        self.cases = {found.kind: found for found in CaseFile.objects.order_by("-pk")}
        papers, letters = Paper.objects.filter(case=case), Letter.objects.filter(case=case)
        self.values: dict[str, Any] = {  # of placeholders that are no key of the page's own table
            "paper_id": papers[0].pk, "letter_id": letters[0].pk, "token": letters[0].token,
            "content_type_id": ContentType.objects.get_for_model(CaseFile).pk, "uid": self.endpoint.uid,
            "code": "PUB", "page": 1, "series": SERIES, "year": 2026, "app_label": "claims", "url": "nowhere",
            "name": "note", "kind": "xlsx", "filename": "x",
        }  # fmt: skip
        guardian = case.member.guardians.first()
        self.letters = list(Letter.objects.values_list("number", flat=True))
        self.secrets = [
            *CaseFile.objects.values_list("number", flat=True), case.member.number, case.policy.number,
            *PaymentOrder.objects.values_list("number", flat=True), self.file.number, self.statement.number,
            "王小明", "王建国", case.member.id_number, guardian.mobile, guardian.email, guardian.id_number,
            PAYEE["account"], self.endpoint.url, *self.letters, "望京街", "流感疫苗",
        ]  # fmt: skip

    def _rooms(self, world: Settled) -> None:
        dear = world.visit([world.bill(lines=[world.line("800.00")])])
        paid = world.pay(world.do(World.review(world, dear, series=SERIES), "decide"))
        Recoveries.decide_again(world, paid, "300.00")  # type: ignore[arg-type]
        said = {"claim": paid.number, "appellant": "王建国", "text": "费用不应扣除"}
        open_appeal(make_actor("service_specialist"), said, now=world.now)
        world.approved(series=SERIES)
        request_appointment(make_actor("service_specialist"), now=world.now, data={
            "member": f"M{SERIES}", "hospital": "PRI", "visit_on": "2026-10-13", "department_group": "GENERAL",
            "channel": "PHONE", "department": "儿科", "complaint": "反复咳嗽",
        })  # fmt: skip
        record(
            make_actor("service_specialist"),
            {"member": f"M{SERIES}", "asker": "王建国", "text": "要交哪些材料？"},
        )
        self._advance(world)
        self._care(world)
        world.contract(SERIES)
        direct = world.claims(1, SERIES)[0]
        self.statement: Statement = world.draft(SERIES)
        share = Share(
            total_fen=35_000, collected_fen=0, open_fen=35_000, breakdown=[("NOT_COVERED", 35_000)],
            hospital=direct.hospital, visit_type="OUTPATIENT", visited_on=world.now.date(),
        )  # fmt: skip
        follow_claim(direct, share, closed=True, now=world.now)
        open_inspection(SYSTEM, Decision.objects.filter(claim=paid.pk).latest("version"), None)
        client = ApiClientFactory(kind="TPA", tpa=self.case.tpa, scopes=["cases:read"])
        self.endpoint, _secret = create(
            SYSTEM, client, url="https://receiver.example/events", events=["claim.decided"]
        )
        ping(SYSTEM, self.endpoint)

    def _advance(self, world: Settled) -> None:
        world.child("N2026", "2026", 9)  # a series that knows advances
        apply_for_advance(make_actor("service_specialist"), now=world.now, data={
            "member": "N2026", "hospital": "PUB", "admitted_on": "2026-09-14", "department": "儿科", "caller": "王建国",
            "diagnosis_name": "肺炎", "need": True, "lines": [{"name": "治疗费", "kind": "TREATMENT", "amount": "100"}],
        })  # fmt: skip

    def _care(self, world: Settled) -> None:
        """A service; a home test and an archive are of the other series, so for a child of it, under the same
        administrator."""
        desk = make_actor("service_specialist")
        wish = {"service": "TRIAGE", "asker": "王建国", "text": "孩子咳嗽三天"}
        request_service(desk, {"member": f"M{SERIES}"} | wish, now=world.now)
        child = world.child("M9", "2026", 9)
        child.policies.update(tpa=self.case.tpa)
        child.id_type = "RESIDENT_ID"
        child.save()
        order = {"member": child.number, "id_number": child.id_number, "address": "北京市朝阳区望京街9号"}
        order_test(desk, order, now=world.now)
        record = {"member": child.number, "kind": "VACCINATION", "title": "流感疫苗", "due_on": "2026-10-05"}
        self.archive = add_record(desk, record, now=world.now)

    def paths(self, address: str) -> list[str]:
        """The address with keys of this house; one path for each kind where it names a case of any kind."""
        return [self._fill(address, number) for number in self.numbers(address)]

    def numbers(self, address: str) -> list[str]:
        """Of what the address is about."""
        if "number" in address and address.startswith(ANY_KIND):
            return [case.number for case in self.cases.values()]
        owner = next((of for start, of in NUMBERED.items() if address.startswith(start)), None)
        return [(owner(self) if owner else self.case).number]

    def _fill(self, address: str, number: str) -> str:
        return "/" + PLACEHOLDER.sub(lambda found: str(self.value(address, found[1], number)), address)

    def value(self, address: str, name: str, number: str) -> Any:
        if name in ("pk", "object_id", "id"):
            return self._key(address)
        return number if name == "number" else self.values.get(name, "1")

    def _key(self, address: str) -> Any:
        model: Any = next((model for start, model in KEYED.items() if address.startswith(start)), None)
        if model is None and (found := re.match(r"admin/(\w+)/(\w+)/", address)):
            model = apps.all_models[found[1]].get(found[2])
        row = model._base_manager.order_by("pk").last() if model else None
        return row.pk if row else 1

    def leaks(self, response: Any, path: str) -> list[str]:
        """What is secret and stands in the answer, other than what was asked for by name."""
        body = b"".join(response.streaming_content) if response.streaming else response.content
        text = body.decode("utf-8", "replace") + str(response.headers.get("Location", ""))
        known = self.letters if path.startswith("/v/") else []  # who holds a letter reads its number on it
        told = [secret for secret in self.secrets if secret not in unquote(path) and secret not in known]
        return [secret for secret in told if secret and secret in text]

"""Papers on a case: attached, checked by a person, kept as long as the law asks."""

from datetime import date

import pytest
from django.conf import settings

from apps.accounts.tests.factories import make_actor
from apps.adjudication import trace
from apps.cases.engine import perform
from apps.cases.models import CaseEvent
from apps.core.errors import Blocked, InvalidInput, InvalidInputs, NotAllowed, NotFound
from apps.documents.models import Paper, StoredFile
from apps.documents.queries import bill_marks, paper_facts, papers_of
from apps.documents.retention import delete_paper, retain_until
from apps.documents.storage import receive
from apps.documents.tests.factories import make_case, make_member, pdf, picture, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk():
    return make_actor("intake")


def attach(case, clerk, *files, **values):
    return perform(case.number, "attach_paper", clerk, files=list(files), **({"kind": "INVOICE"} | values))


def test_several_files_become_papers_in_one_event(clerk):
    case = make_case()
    attach(case, clerk, upload(pdf(2), "a.pdf"), receive(upload(picture(), "b.jpg")))
    assert [(paper.kind, paper.pages, paper.file.name) for paper in papers_of(case)] == [
        ("INVOICE", 2, "a.pdf"),
        ("INVOICE", 1, "b.jpg"),
    ]
    assert CaseEvent.objects.filter(case=case, action="attach_paper").count() == 1


def test_all_wrong_files_are_named_and_nothing_is_kept(clerk):
    case = make_case()
    with pytest.raises(InvalidInputs) as caught:
        attach(case, clerk, upload(b"MZ", "a.pdf"), upload(pdf(), "good.pdf"), upload(b"", "c.jpg"))
    assert [(error.field, error.code) for error in caught.value.errors] == [
        ("files.0", "file_type"),
        ("files.2", "file_empty"),
    ]
    assert Paper.objects.count() == StoredFile.objects.count() == 0
    assert not [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]


def test_file_uploaded_before_is_named_by_its_sha256(clerk):
    case, other = make_case(), make_case(member=make_member("M000002"))
    attach(case, clerk, upload(pdf(), "a.pdf"))
    attach(other, clerk, StoredFile.objects.get().sha256)
    assert papers_of(other)[0].file == papers_of(case)[0].file
    with pytest.raises(InvalidInputs, match="SHA-256"):
        attach(other, clerk, "0" * 64)


def test_same_file_twice_as_the_same_kind_is_refused(clerk):
    case = make_case()
    attach(case, clerk, upload(pdf(), "a.pdf"))
    with pytest.raises(InvalidInput) as caught:
        attach(case, clerk, upload(pdf(), "copy.pdf"))
    assert caught.value.code == "paper_twice"
    attach(case, clerk, upload(pdf(), "copy.pdf"), kind="ITEMIZED_BILL")
    assert len(papers_of(case)) == 2


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"kind": "HOLIDAY_PHOTO"}, "paper_kind"),
        ({"form": "SOURCE_FILE", "files": ["picture"]}, "source_file"),
        ({"form": "IMAGE"}, "required"),
    ],
)
def test_wrong_papers_are_refused(clerk, values, code):
    files = [upload(picture(), "a.jpg") for _ in values.pop("files", [])]
    with pytest.raises(InvalidInput) as caught:
        attach(make_case(), clerk, *files, **values)
    assert caught.value.code == code


def test_original_on_the_shelf_needs_no_file(clerk):
    case = make_case()
    attach(case, clerk, form="ORIGINAL")
    assert papers_of(case)[0].file is None


def test_only_roles_of_the_kind_may_attach():
    with pytest.raises(NotAllowed):
        attach(make_case(), make_actor("recovery"), upload(pdf(), "a.pdf"))


def test_member_of_another_series_cannot_be_given_papers():
    with pytest.raises(NotFound):
        attach(make_case("2026"), make_actor("intake", series=["2024"]), upload(pdf(), "a.pdf"))


# --- Checking -------------------------------------------------------------------------------------------


def test_unseen_paper_proves_nothing_until_a_person_ticks_it_rmb_20_rmb_21(clerk):
    case = make_case()
    attach(case, clerk, upload(picture(), "a.jpg"), subject="bill:1")
    paper = papers_of(case)[0]
    fact = paper_facts(papers_of(case))[0]
    assert (fact.legible, fact.color, fact.signed) == (False, False, False)
    assert bill_marks([paper])["1"].annotated is False
    perform(case.number, "tick_paper", clerk, papers=[paper.pk], legible=True, color="true", annotated=True)
    fact = paper_facts(papers_of(case))[0]
    assert (fact.legible, fact.color, fact.subject) == (True, True, "bill:1")
    paper.refresh_from_db()
    assert bill_marks([paper])["1"].annotated is True
    assert (paper.checked_by_label, paper.signed) == (clerk.label, None)


def test_data_and_electronic_signature_need_no_looking_at_pr_03(clerk):
    case = make_case()
    attach(case, clerk, kind="CLAIM_APPLICATION", form="E_SIGNED")
    fact = paper_facts(papers_of(case))[0]
    assert (fact.legible, fact.signed) == (True, True)


def test_source_file_with_verification_counts_as_verified_pr_01(clerk):
    case = make_case()
    attach(case, clerk, upload(pdf(), "e.pdf"), kind="E_INVOICE_SOURCE", form="SOURCE_FILE", subject="bill:7")
    assert bill_marks(papers_of(case))["7"].verified is False
    perform(case.number, "tick_paper", clerk, papers=[papers_of(case)[0].pk], verification="财政平台查验一致")
    assert bill_marks(papers_of(case))["7"].verified is True


def test_unusable_paper_needs_its_reason_and_leaves_the_bill_s_marks(clerk):
    case = make_case()
    attach(case, clerk, upload(picture(), "a.jpg"), subject="bill:1")
    paper = papers_of(case)[0]
    with pytest.raises(InvalidInput) as caught:
        perform(case.number, "tick_paper", clerk, papers=[paper.pk], usable=False)
    assert caught.value.field == "note"
    perform(case.number, "tick_paper", clerk, papers=[paper.pk], usable=False, note="模糊")
    assert paper_facts(papers_of(case))[0].usable is False
    assert bill_marks(papers_of(case)) == {}


def test_papers_of_another_case_cannot_be_ticked(clerk):
    mine, other = make_case(), make_case(member=make_member("M000002"))
    attach(other, clerk, upload(pdf(), "a.pdf"))
    with pytest.raises(InvalidInput) as caught:
        perform(mine.number, "tick_paper", clerk, papers=[papers_of(other)[0].pk], legible=True)
    assert caught.value.code == "unknown_paper"


def test_reads_cost_one_query_whatever_the_number_of_papers(clerk, django_assert_num_queries):
    case = make_case()
    for number in range(1, 4):
        attach(case, clerk, upload(pdf(number), f"{number}.pdf"))
    with django_assert_num_queries(1):
        assert len(paper_facts(papers_of(case))) == 3
    papers = papers_of(case)
    with django_assert_num_queries(0):
        paper_facts(papers)
        assert papers[0].file.name


# --- Retention (LAW-08) ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "ends", "expected"),
    [
        ("INVOICE", date(2026, 12, 31), date(2031, 12, 31)),
        ("INVOICE", date(2027, 1, 1), date(2032, 1, 1)),
        ("INVOICE", date(2027, 1, 2), date(2037, 1, 2)),  # the contract ran over a year
        ("INSURED_ID", date(2026, 12, 31), date(2036, 12, 31)),
        ("MEDICAL_RECORD", date(2024, 2, 29), date(2029, 3, 1)),
    ],
)
def test_papers_are_kept_as_long_as_the_law_asks_law_08(kind, ends, expected):
    case = make_case(effective_on=min(date(2026, 1, 1), ends), expires_on=ends)
    assert retain_until(kind, case.policy, case.handbook.handbook) == expected


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_a_paper_s_row_says_how_long_it_is_kept_law_08(clerk, rulebook, series):
    case = make_case(series, effective_on=date(2026, 1, 1), expires_on=date(2026, 12, 31))
    attach(case, clerk, upload(pdf(), "a.pdf"))
    attach(case, clerk, upload(picture(), "b.jpg"), kind="INSURED_ID")
    kept = dict(Paper.objects.filter(case=case).values_list("kind", "retain_until"))
    assert kept == {"INVOICE": date(2031, 12, 31), "INSURED_ID": date(2036, 12, 31)}
    rulebook.read_back("LAW-08", kept)


def test_policy_that_ended_early_is_kept_from_its_end_law_08():
    case = make_case(ended_on=date(2026, 3, 1))
    assert retain_until("INVOICE", case.policy, case.handbook.handbook) == date(2031, 3, 1)


def test_nothing_is_deleted_before_its_time_law_08(clerk):
    case = make_case()
    attach(case, clerk, upload(pdf(), "a.pdf"))
    paper = papers_of(case)[0]
    heard: list[tuple[str, bool]] = []
    stop = trace.listen(lambda rule, fired: heard.append((rule, fired)))
    with pytest.raises(Blocked) as caught:
        delete_paper(paper, today=date(2031, 12, 31))
    assert (caught.value.code, caught.value.rule) == ("RETAINED", "LAW-08")
    delete_paper(paper, today=date(2032, 1, 1))
    stop()
    assert papers_of(case) == []
    assert heard == [("LAW-08", True), ("LAW-08", False)]

"""Letters: queued with the action, numbered, versioned, rendered after commit, readable, verifiable."""

import io
import re
import threading
from datetime import timedelta
from unittest import skipIf

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from pyhanko.pdf_utils.reader import PdfFileReader

from apps.accounts.actors import SYSTEM
from apps.adjudication import trace
from apps.cases.engine import perform_many
from apps.core.errors import Blocked
from apps.documents import fonts, letters
from apps.documents.bill_codes import read_image
from apps.documents.letters import queue_letter, void_letter
from apps.documents.models import Letter
from apps.documents.rendering import render_pdf, verification_url
from apps.documents.storage import open_stored
from apps.documents.tasks import GIVE_UP_AFTER, LEASE, render_due_letters, render_letter
from apps.documents.tests import letters_data as data
from apps.documents.tests import paper
from apps.documents.tests.factories import Do, make_case, make_member, within

pytestmark = pytest.mark.django_db


def queue(case, context, **values):
    return within(case, lambda ctx: queue_letter(ctx, context, **values))


def text_of(letter):
    pdf, missing = render_pdf(letter)
    assert missing == ""
    return paper.text_of(pdf)


# --- Queueing -------------------------------------------------------------------------------------------


def test_letter_is_numbered_and_waits_for_a_worker():
    letter = queue(make_case(), data.acceptance())
    assert re.fullmatch(r"L\d\d-\d{6}", letter.number)
    assert (letter.version, letter.state, letter.kind) == (1, "QUEUED", "ACCEPTANCE")
    assert letter.context["visits"][1]["until"] == "2026-09-27"
    assert len(letter.token) >= 32


def test_second_letter_of_a_kind_supersedes_the_first_and_keeps_its_number():
    case = make_case()
    first, other = queue(case, data.eob()), queue(case, data.acceptance())
    second = queue(case, data.eob(outcome="APPROVE"))
    assert (second.number, second.version) == (first.number, 2)
    assert other.number != first.number
    first.refresh_from_db()
    other.refresh_from_db()
    assert (first.state, other.state) == ("SUPERSEDED", "QUEUED")
    assert second.token != first.token


def test_void_letter_is_followed_by_the_next_version():
    case = make_case()
    first = queue(case, data.eob())
    within(case, lambda ctx: void_letter(ctx, first))
    assert queue(case, data.eob()).version == 2
    first.refresh_from_db()
    assert first.state == "VOID"


def test_refusal_without_reasons_cannot_be_issued_law_04():
    case = make_case()
    heard: list[tuple[str, bool]] = []
    stop = trace.listen(lambda rule, fired: heard.append((rule, fired)))
    with pytest.raises(Blocked) as caught:
        queue(case, data.refusal(reasons=()))
    queue(case, data.refusal())
    stop()
    assert caught.value.rule == "LAW-04"
    assert Letter.objects.count() == 1
    assert heard == [("LAW-04", True), ("LAW-04", False)]


def test_supplement_notice_must_ask_for_something_law_01():
    with pytest.raises(Blocked):
        queue(make_case(), data.supplement(missing=()))


def test_refused_action_leaves_no_letter():
    case = make_case()

    def work(ctx):
        queue_letter(ctx, data.eob())
        raise Blocked("no")

    with pytest.raises(Blocked):
        within(case, work)
    assert Letter.objects.count() == 0


def test_letters_of_a_batch_cost_the_same_for_one_and_for_five(django_assert_num_queries):
    cases = [make_case(member=make_member(f"M10000{n}")) for n in range(6)]
    within(cases[0], lambda ctx: queue_letter(ctx, data.eob()))  # the first number of the year

    def statements(some):
        Do.work = staticmethod(lambda ctx: queue_letter(ctx, data.eob()))
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as captured:
            perform_many([case.number for case in some], "do", SYSTEM)
        return [
            query["sql"]
            for query in captured
            if '"documents_letter"' in query["sql"] or "core_sequence" in query["sql"]
        ]

    assert len(statements(cases[1:2])) == len(statements(cases[1:6])) - 1  # one more: versions superseded
    assert Letter.objects.values("number").distinct().count() == 6


@pytest.mark.parametrize(("answers", "handed"), [(True, [20, 20, 5]), (False, [20])])
def test_letters_are_handed_over_in_portions_and_a_dead_queue_is_asked_once(monkeypatch, answers, handed):
    asked = []
    monkeypatch.setattr(letters, "enqueue", lambda task, *ids: asked.append(ids) or answers)
    letters.start_rendering([Letter(pk=n) for n in range(45)])
    assert [len(ids) for ids in asked] == handed
    assert [pk for ids in asked for pk in ids] == list(range(sum(handed)))


# --- Rendering ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh-hans", "en"])
@pytest.mark.parametrize("given", [data.acceptance(), data.supplement(), data.eob(), data.refusal()])
def test_every_letter_becomes_pdf_a_with_number_contacts_and_code_gen_05(given, language, rulebook):
    letter = queue(make_case(), given, language=language)
    pdf, _missing = render_pdf(letter)
    metadata = PdfFileReader(io.BytesIO(pdf)).root["/Metadata"].data.decode()
    assert re.search(r"pdfaid:part\W+3\D", metadata)
    words = text_of(letter)
    hotline = "950610ext.8" if language == "en" else "950610转8"
    for expected in (letter.number, hotline, "C26-000412", "王**", "scantoverify", "1/"):
        assert expected in words
    rulebook.read_back("GEN-05", hotline)
    assert [code.text for code in read_image(paper.picture_of(pdf))] == [verification_url(letter.token)]


def test_settlement_shows_every_amount_reason_limit_and_the_way_to_appeal():
    letter = queue(make_case(), data.eob())
    words = text_of(letter)
    for expected in (
        "理赔结算通知书", "陪护费", "400.00", "4,900.00", "4,230.00", "生活照料费用不属于保险责任", "REC-02",
        "947,690.00", "张*", "6225********8812", "申诉",
    ):  # fmt: skip
        assert expected in words, expected


def test_supplement_notice_holds_everything_with_mailing_instructions_inside_pr_05_rmb_23_rmb_24_rmb_25():
    context = data.supplement(originals_by_mail=True, annotation="已在“京东安联”索赔")
    words = text_of(queue(make_case("2026"), context))
    for expected in (
        "共2项", "医疗发票（原件）", "第2张图像模糊", "出院小结", "理赔申请书", "已在“京东安联”索赔",
        "科创十一街18号院", "100176", "非车险理赔部", "010-89110563", "到付件恕不接收", "ext.jdazcservice1@jd.com",
    ):  # fmt: skip
        assert expected in words, expected


def test_other_series_prints_its_own_contacts_and_address_rmb_39_gen_06(rulebook):
    words = text_of(queue(make_case("2024"), data.supplement(originals_by_mail=True)))
    for expected in ("021-80209058", "龙华中路596号1201室", "service@windstoneservice.com", "风石健康"):
        assert expected in words, expected
    for foreign in ("950610", "到付件", "100176", "快递单号"):
        assert foreign not in words, foreign
    rulebook.read_back("GEN-06", "021-80209058")


def test_refusal_at_intake_has_its_own_title_pr_06():
    words = text_of(queue(make_case(), data.refusal(at_intake=True)))
    assert "不予受理通知书" in words
    assert "拒赔" not in words


def test_contacts_stay_as_they_were_when_the_letter_was_queued():
    letter = queue(make_case(), data.eob())
    letter.context["series"]["contacts"]["hotline"]["value"]["zh"] = "400 111"
    assert "400111" in text_of(letter)


@skipIf(fonts._full_font() is None, "the package with the full font is not installed")
def test_rare_characters_of_names_are_printed_and_can_be_read_back():
    letter = queue(make_case(), data.eob(about=data.about("𠮷**", "张䶮、李𰻞")))
    words = text_of(letter)
    assert "𠮷**" in words
    assert "张䶮、李𰻞" in words


def test_character_that_no_font_has_is_written_as_its_code_point_and_reported():
    letter = queue(make_case(), data.acceptance(about=data.about("\U0003fffd**".replace("\U0003fffd", "𱍊"))))
    pdf, missing = render_pdf(letter)
    words = paper.text_of(pdf)
    assert ("𱍊" in words) != (missing == "𱍊" and "U+3134A" in words)


def test_long_settlement_repeats_head_and_code_on_every_page():
    pdf, _missing = render_pdf(queue(make_case(), data.eob(lines=80)))
    pages = paper.pages_of(pdf)
    assert len(pages) >= 3
    for number, words in enumerate(pages, 1):
        assert f"{number}/{len(pages)}" in words
        assert "账单金额" in words or number == len(pages)


def test_letter_fetches_nothing_from_outside():
    letter = queue(make_case(), data.acceptance(text="<img src='http://example.com/x.png'>"))
    assert "example.com/x.png" in text_of(letter)  # escaped, not fetched


# --- Workers --------------------------------------------------------------------------------------------


def test_rendered_letter_is_stored_with_its_digest():
    letter = queue(make_case(), data.eob())
    assert render_letter(letter.pk) is True
    letter.refresh_from_db()
    assert (letter.state, letter.sha256, letter.error) == ("RENDERED", letter.file.sha256, "")
    with open_stored(letter.file) as file:
        assert file.read(5) == b"%PDF-"
    assert render_letter(letter.pk) is False


def test_letter_superseded_before_it_was_rendered_is_not_rendered():
    case = make_case()
    first = queue(case, data.eob())
    queue(case, data.eob())
    assert render_due_letters() == 1
    first.refresh_from_db()
    assert first.file is None


def test_poisoned_letter_waits_longer_each_time_and_the_others_go_out():
    poisoned, good = queue(make_case(), data.eob()), queue(make_case(member=make_member("M2")), data.eob())
    Letter.objects.filter(pk=poisoned.pk).update(context={"lines": 5}, next_attempt_at=timezone.now() - LEASE)
    assert render_due_letters() == 1
    good.refresh_from_db()
    assert good.state == "RENDERED"
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.next_attempt_at > timezone.now()) == ("QUEUED", True)
    Letter.objects.filter(pk=poisoned.pk).update(next_attempt_at=timezone.now(), attempts=GIVE_UP_AFTER - 1)
    assert render_due_letters() == 0
    poisoned.refresh_from_db()
    assert (poisoned.state, poisoned.attempts) == ("FAILED", GIVE_UP_AFTER)
    assert poisoned.error


def test_letter_of_a_dead_worker_is_taken_after_its_lease():
    letter = queue(make_case(), data.eob())
    Letter.objects.filter(pk=letter.pk).update(
        attempts=F("attempts") + 1, next_attempt_at=timezone.now() + LEASE
    )
    assert render_due_letters() == 0
    Letter.objects.filter(pk=letter.pk).update(next_attempt_at=timezone.now() - timedelta(seconds=1))
    assert render_due_letters() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_never_render_the_same_letter_twice():
    letter = queue(make_case(), data.acceptance())
    Letter.objects.update(state="QUEUED", next_attempt_at=timezone.now(), file=None, attempts=0)
    start, done = threading.Barrier(3), []

    def work():
        start.wait()
        try:
            done.append(render_letter(letter.pk))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, True]
    letter.refresh_from_db()
    assert letter.attempts == 1


def test_letters_rendered_in_several_threads_have_the_right_glyphs():
    """A font configuration shared between threads prints wrong characters without an error."""
    letters = [queue(make_case(member=make_member(f"M9{n}")), data.eob(lines=3 + n)) for n in range(3)]
    words: dict[int, str] = {}

    def work(n):
        for _again in range(2):
            words[n] = text_of(letters[n])

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(3):
        assert f"检查项目{2 + n}" in words[n]
        assert "生活照料费用不属于保险责任" in words[n]


def test_page_looks_like_a_letter():
    """Nothing runs over the margins; the page is neither empty nor black."""
    pdf, _missing = render_pdf(queue(make_case(), data.eob()))
    page = paper.picture_of(pdf, scale=1).convert("L")
    box = page.point(lambda value: 255 if value < 200 else 0).getbbox()
    assert box[0] >= 50
    assert box[2] <= page.width - 50
    ink = sum(page.resize((60, 84)).point(lambda value: value < 250).getdata())
    assert 300 < ink < 60 * 84 * 0.8
    assert io.BytesIO(pdf).getbuffer().nbytes < 600_000

"""What the page shows of the closed vocabulary is words, not codes."""

from __future__ import annotations

import re

import pytest
from django.utils.translation import override

from apps.adjudication import keys
from apps.adjudication.parse import parse_handbook
from apps.products.labels import PAPER_TITLES, ZH, condition_words, label, labels, paper_title, step_words
from apps.products.pages import differences, key_words, read_handbook
from apps.products.tests.helpers import text_of


@pytest.mark.parametrize(
    "codes",
    [keys.EVENTS, keys.CONDITIONS, keys.STEP_KINDS, keys.STEP_RECIPIENTS, keys.PAUSES, keys.CLOCK_UNITS,
     keys.CHANNELS, keys.LISTS, keys.PAPER_FORMS],
)  # fmt: skip
def test_every_code_has_chinese_words(codes: object) -> None:
    assert [code for code in codes if code not in ZH] == []  # type: ignore[attr-defined]


@pytest.mark.parametrize("series", ["2024", "2026"])
def test_every_kind_of_paper_has_chinese_words_in_every_series(series: str) -> None:
    """A 2026 list may show a guardian's identity card, which only 2024 asks for."""
    handbook = parse_handbook(text_of(series))
    assert set(PAPER_TITLES) == set(keys.PAPERS)
    with override("zh-hans"):
        titles = {kind: paper_title(handbook, kind) for kind in keys.PAPERS}
    assert [kind for kind, title in titles.items() if not re.search("[一-鿿]", title)] == []
    own = {(document.key, document.title.zh) for document in handbook.documents}
    assert {(kind, title) for kind, title in titles.items() if kind in dict(own)} <= own
    with override("en"):
        assert paper_title(handbook, "PASSPORT") == "Passport"


@pytest.mark.parametrize("series", ["2024", "2026", "2027"])
def test_the_page_of_a_series_shows_no_codes_in_chinese(series: str) -> None:
    """Codes of networks, versions and diagnoses are names; figures keep their name for programmers."""
    handbook = parse_handbook(text_of(series))
    with override("zh-hans"):
        sections = {section.anchor: section for section in read_handbook(handbook)}
    for name in ("services", "documents", "triggers", "clocks"):
        for row in sections[name].rows:
            shown = [row.value, *(value for _label, value in row.more)]
            codes = [
                word for text in shown for word in re.findall(r"[A-Z]{3,}_[A-Z_]+|[a-z]{3,}_[a-z_]+", text)
            ]
            assert codes == [], row.anchor


def test_conditions_and_ladders_read_as_sentences() -> None:
    clock = next(clock for clock in parse_handbook(text_of("2026")).clocks if clock.key == "claim.decision")
    with override("zh-hans"):
        assert condition_words(clock.when) == "类别 疫苗"
        assert (
            step_words(clock.steps)
            == "提醒 处理人 (75%)；超时 理赔组长（到期时）；升级 经理（到期后 1 工作日）"
        )
        assert labels(("decided", "paid")) == "作出决定、已付款"
    with override("en"):
        assert condition_words(clock.when) == "category vaccine"
        assert step_words(clock.steps).endswith("escalate manager (1 workdays after)")
        assert label("materials_complete") == "materials complete"


CODE = re.compile(r"\b[A-Z]{3,}_[A-Z_]+\b|\b[a-z]{3,}_[a-z_]+\b|\b(?:yes|no|INPATIENT|OUTPATIENT)\b")


def test_differences_are_words_in_the_readers_language() -> None:
    """Nothing of the program shows but the names of entries; the other language stays away."""
    left, right = (parse_handbook(text_of(series)) for series in ("2024", "2026"))
    with override("zh-hans"):
        rows = differences(left, right)
        shown = [text for row in rows if row.field != "keys" for text in (row.left, row.right) if text]
        assert [text for text in shown if CODE.search(text)] == []
        missing = next(row for row in rows if row.key == "authorization.missing")
        assert (missing.left, missing.right) == ("提示", "由人判断") or (missing.right, missing.left) == (
            "提示",
            "由人判断",
        )
        network = next(row for row in rows if row.section == "networks")
        assert "·" in network.title.zh
        assert key_words(network) == ""
        paper = next(row for row in rows if row.section == "documents")
        assert key_words(paper).split(" · ")[0] in ZH.values()
    with override("en"):
        english = differences(left, right)
        says = next(row for row in english if row.section == "keys" and row.field == "says")
        assert not re.search("[一-鿿]", says.left or "")

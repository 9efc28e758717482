"""The sample roster: what an insurer's monthly list looks like, with the untidiness of real ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from scripts.samples.book import write
from scripts.samples.people import FOREIGN, People

HEADERS = (
    "保单号*", "个人凭证号", "产品系列*", "投保方案", "保障计划*", "版别", "保单状态*", "被保险人姓名*", "性别*", "出生日期*",
    "证件类型*", "证件号码*", "国籍", "是否有社保*", "以有社保身份投保", "预留手机号*", "电子邮箱", "投保人姓名*",
    "与被保险人关系*", "投保人证件类型", "投保人证件号码", "投保人手机号", "投保人邮箱", "投保渠道", "合同成立日",
    "生效日期*", "满期日期*", "提前终止日期", "新保/续保", "连续投保起始日", "可选责任", "特别约定", "除外疾病编码",
)  # fmt: skip
SCHEMES = {"成长计划": "成长优享方案", "成长PLUS计划": "成长优享方案", "优享计划": "成长优享PLUS方案",
           "优享PLUS计划": "成长优享PLUS方案", "优享MAX计划": "成长优享MAX方案",
           "优享PLUS MAX计划": "成长优享MAX方案"}  # fmt: skip
FULL_WIDTH = str.maketrans(
    "0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "０１２３４５６７８９－ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ",
)


@dataclass
class Parent:
    name: str
    relation: str
    id_type: str
    id_number: str
    mobile: str
    email: str


@dataclass
class Child:
    name: str
    sex: str
    born: date
    id_type: str
    id_number: str
    nationality: str
    social: bool
    mobile: str
    parent: Parent


@dataclass
class Cover:
    """One row: a child under one policy."""

    child: Child
    number: str
    certificate: str
    series: str
    plan: str
    starts: date
    status: str = "有效"
    ends: date | None = None
    ended: date | None = None
    renewed: bool = False
    since: date | None = None
    channel: str = "线上"
    riders: str = ""
    agreement: str = ""
    exclusions: str = ""
    concluded: date | None = None
    extra: dict[str, Any] = field(default_factory=dict)  # broken cells by header

    @property
    def last(self) -> date:
        return self.ends or self.starts.replace(year=self.starts.year + 1) - timedelta(days=1)


def write_roster(path: Path, *, children: int, year: int) -> None:
    maker = Maker(Random(20260101), year)
    covers = maker.covers(children)
    write(
        path,
        [
            (
                "承保清单",
                [
                    *_titles(year, len(covers)),
                    list(HEADERS),
                    *(maker.row(cover) for cover in covers),
                    _footer(covers),
                ],
            )
        ],
    )


def _titles(year: int, rows: int) -> list[list[Any]]:
    return [
        ["成长优享 被保险人清单（样例数据，均为虚构）"],
        [f"数据截止：{year}年10月31日", None, None, f"共 {rows} 条", None, "带 * 为必填项"],
        [],
    ]


def _footer(covers: list[Cover]) -> list[Any]:
    return ["合计", f"{len(covers)} 条"]


class Maker:
    def __init__(self, random: Random, year: int):
        self.random, self.year = random, year
        self.people = People(random)
        self._policies = 0

    # --- people -------------------------------------------------------------------------------------------

    def parent(self, surname: str, child_born: date) -> Parent:
        r, people = self.random, self.people
        mother = r.random() < 0.62
        sex = "F" if mother else "M"
        born = people.adult_birth(child_born)
        name = (people.surname() if mother else surname) + people.given(sex)
        mobile = people.mobile()
        return Parent(
            name, ("母亲" if mother else "父亲") if r.random() < 0.85 else "子女", "身份证",
            people.resident_id(born, sex), mobile, f"parent{mobile[-6:]}@example.com" if r.random() < 0.7 else "",
        )  # fmt: skip

    def child(self, *, parent: Parent | None = None, surname: str = "", born: date | None = None) -> Child:
        r, people = self.random, self.people
        surname = surname or people.surname()
        sex = r.choice("MF")
        born = born or people.child_birth(date(self.year - 1, 6, 1))
        parent = parent or self.parent(surname, born)
        id_type, id_number, nationality, name = self.paper(surname + people.given(sex), born, sex)
        return Child(
            name, sex, born, id_type, id_number, nationality, nationality == "中国" and r.random() < 0.72,
            parent.mobile, parent,
        )  # fmt: skip

    def paper(self, name: str, born: date, sex: str) -> tuple[str, str, str, str]:
        """Identity cards mostly; passports, permits and birth certificates beside them."""
        people, chance = self.people, self.random.random()
        if chance < 0.02:
            return (
                "护照",
                people.passport(),
                self.random.choice(["美国", "英国", "日本", "法国", "KR"]),
                self.random.choice(FOREIGN),
            )
        if chance < 0.03:
            return "港澳居民来往内地通行证", people.hk_permit(), "中国香港", name
        if chance < 0.038:
            return "台湾居民来往大陆通行证", people.taiwan_permit(), "中国台湾", name
        if chance < 0.048:
            region, nation = self.random.choice(
                [("810000", "中国香港"), ("820000", "中国澳门"), ("830000", "中国台湾")]
            )
            return "港澳台居民居住证", people.resident_id(born, sex, region), nation, name
        if chance < 0.065:
            return "出生医学证明", people.birth_certificate(), "中国", name
        if chance < 0.08:
            return "户口本", people.resident_id(born, sex), "中国", name
        return "身份证", people.resident_id(born, sex), "中国", name

    # --- policies -----------------------------------------------------------------------------------------

    def covers(self, children: int) -> list[Cover]:
        found: list[Cover] = []
        made = 0
        while made < children:
            chance = self.random.random()
            if chance < 0.012:
                pair = self.twins()
                found += [self.cover(child) for child in pair]
                made += 2
            elif chance < 0.05:
                older = self.child()
                younger = self.child(
                    parent=older.parent, surname=older.name[:1] if not older.name.isascii() else ""
                )
                found += [self.cover(older), self.cover(younger)]
                made += 2
            else:
                found += self.one(self.child())
                made += 1
        return found

    def twins(self) -> tuple[Child, Child]:
        first = self.child()
        second = self.child(parent=first.parent, surname=first.name[:1], born=first.born)
        return first, second

    def one(self, child: Child) -> list[Cover]:
        """One child's rows: mostly one policy, sometimes a history or two at once."""
        current = self.cover(child)
        chance = self.random.random()
        if chance < 0.06:
            return [
                self.earlier(current),
                replace(current, renewed=True, since=self.year_before(current.starts)),
            ]
        if chance < 0.07 and current.series.startswith("2026"):
            return [self.cover(child, series="2024系列"), current]
        if chance < 0.074 and child.id_type == "身份证":
            newborn = replace(child, id_type="出生医学证明", id_number=self.people.birth_certificate())
            earlier = replace(self.earlier(current), child=newborn)
            return [earlier, replace(current, renewed=True, since=self.year_before(current.starts))]
        if chance < 0.10:
            return [self.ended(current)]
        return [current]

    def year_before(self, day: date) -> date:
        return (
            day.replace(year=day.year - 1) if (day.month, day.day) != (2, 29) else day - timedelta(days=366)
        )

    def cover(self, child: Child, series: str = "") -> Cover:
        r = self.random
        series = series or ("2026系列" if r.random() < 0.6 else "2024系列")
        new = series.startswith("2026")
        start = date(self.year, 1, 1) if new else date(self.year - 1, 11, 20)
        starts = start + timedelta(days=int((300 if new else 330) * r.random() ** 2))
        if child.born >= starts:
            starts = child.born + timedelta(days=28)
        starts = starts - timedelta(days=1) if (starts.month, starts.day) == (2, 29) else starts
        self._policies += 1
        plan = r.choice(["全国版", "全国版", "北京版"]) if new else r.choice(list(SCHEMES))
        sick = r.random() < 0.02
        return Cover(
            child, f"P{series[:4]}{self._policies:08d}", f"{series[2:4]}{self._policies:010d}", series, plan, starts,
            channel="线下纸质" if r.random() < 0.06 else "线上",
            riders=r.choice(["", "", "", "疫苗", "疫苗、齿科", "眼科,齿科", "疫苗 眼科 齿科"]) if new else "",
            agreement="本合同对哮喘及其并发症不承担保险责任" if sick else "",
            exclusions="J45、J46" if sick else "",
            concluded=starts - timedelta(days=r.randint(1, 20)),
        )  # fmt: skip

    def earlier(self, current: Cover) -> Cover:
        """The policy before: expired, of the 2024 series, under its own number."""
        self._policies += 1
        starts = self.year_before(current.starts)
        if current.child.born >= starts:
            starts = current.child.born + timedelta(days=1)
        ends = current.starts - timedelta(days=1)
        plan = current.plan if current.series.startswith("2024") else self.random.choice(list(SCHEMES))
        return replace(
            current, number=f"P2024{self._policies:08d}", certificate=f"24{self._policies:010d}", series="2024系列",
            plan=plan, starts=min(starts, ends), ends=ends, status="满期", riders="", ended=None,
            concluded=min(starts, ends) - timedelta(days=5),
        )  # fmt: skip

    def ended(self, current: Cover) -> Cover:
        status = self.random.choice(["失效", "退保", "终止"])
        ended = current.starts + timedelta(days=self.random.randint(-1, 200))
        return replace(current, status=status, ended=min(ended, current.last))

    # --- cells --------------------------------------------------------------------------------------------

    def row(self, cover: Cover) -> list[Any]:
        child, parent = cover.child, cover.child.parent
        values: dict[str, Any] = dict(zip(HEADERS, (
            cover.number, cover.certificate, cover.series, SCHEMES.get(cover.plan, ""), cover.plan,
            "即时版" if cover.series.startswith("2024") else "", cover.status, self.untidy_name(child.name),
            "男" if child.sex == "M" else "女", self.day(child.born), child.id_type, self.untidy(child.id_number),
            child.nationality, "是" if child.social else "否", "是" if child.social else "否",
            self.mobile(child.mobile), "", self.untidy_name(parent.name), parent.relation, parent.id_type,
            self.untidy(parent.id_number), self.mobile(parent.mobile), parent.email, cover.channel,
            self.day(cover.concluded), self.day(cover.starts), self.day(cover.last), self.day(cover.ended),
            "续保" if cover.renewed else "新保", self.day(cover.since), cover.riders, cover.agreement,
            cover.exclusions,
        ), strict=True))  # fmt: skip
        return list((values | cover.extra).values())

    def day(self, value: date | None) -> Any:
        if value is None:
            return None
        shape = self.random.random()
        if shape < 0.55:
            return value
        texts = [
            f"{value.year}-{value.month}-{value.day}", f"{value:%Y/%m/%d}", f"{value.year}年{value.month}月{value.day}日",
            f"{value:%Y%m%d}", f"{value.year}.{value.month}.{value.day}", f" {value:%Y-%m-%d} ",
            f"{value:%Y-%m-%d}".translate(FULL_WIDTH), f"{value:%Y-%m-%d} 00:00:00",
        ]  # fmt: skip
        return (value - date(1899, 12, 30)).days if shape < 0.62 else self.random.choice(texts)

    def untidy(self, text: str) -> str:
        shape = self.random.random()
        if shape < 0.01:
            return text.translate(FULL_WIDTH)
        if shape < 0.02:
            return f"{text[:6]} {text[6:14]} {text[14:]}"
        if shape < 0.03:
            return f"\u200b{text.lower()}　"
        return text

    def untidy_name(self, name: str) -> str:
        shape = self.random.random()
        if shape < 0.01 and not name.isascii():
            return f"{name[0]} {name[1:]}"
        return f"　{name} " if shape < 0.02 else name

    def mobile(self, number: str) -> Any:
        shape = self.random.random()
        if shape < 0.1:
            return int(number)
        if shape < 0.14:
            return f"{number[:3]}-{number[3:7]}-{number[7:]}"
        return f"+86 {number}" if shape < 0.16 else number

    # --- for the broken twin ----------------------------------------------------------------------------

    def plain_cover(self) -> Cover:
        """A child with an identity card, so that a mistake stands alone."""
        while True:
            cover = self.cover(self.child())
            if cover.child.id_type == "身份证" and cover.child.born.year != 2019:
                return cover

    def twins_with_cards(self) -> tuple[Cover, Cover]:
        while True:
            one, two = self.twins()
            if one.id_type == two.id_type == "身份证":
                return self.cover(one), self.cover(replace(two, sex=one.sex, name=one.name[:1] + "双生"))


# --- the broken twin ----------------------------------------------------------------------------------------

# (header, value or a function of the cover's own value): one mistake a row, as people make them.
MISTAKES: list[tuple[str, Any]] = [
    ("证件号码*", lambda number: number[:17] + ("1" if number[17] != "1" else "2")),  # check digit
    ("证件号码*", lambda number: number[:6] + number[8:17]),  # 15 digits
    ("证件号码*", lambda number: number[:17]),  # one digit lost
    ("证件号码*", 310105202001011200),  # typed as a number: Excel rounds it
    ("证件号码*", "3.10105E+17"),
    ("证件号码*", "#N/A"),
    ("证件号码*", None),
    ("证件类型*", "学生证"),
    ("证件类型*", "护照*"),
    ("证件类型*", "港澳台居民居住证"),
    ("性别*", "未知"),
    ("出生日期*", "2021-02-30"),
    ("出生日期*", "03/04/2021"),
    ("出生日期*", "去年五月"),
    ("出生日期*", date(2019, 1, 1)),  # contradicts the number
    ("被保险人姓名*", None),
    ("被保险人姓名*", "王?明"),
    ("被保险人姓名*", "李\ue863"),  # private-use character
    ("被保险人姓名*", "12345"),
    ("保单号*", None),
    ("保单号*", "保单"),
    ("产品系列*", "2019系列"),
    ("保障计划*", "白金版"),
    ("投保方案", "钻石方案"),
    ("保单状态*", "正常吧"),
    ("保单状态*", "退保"),  # without a last day
    ("满期日期*", date(2020, 1, 1)),
    ("生效日期*", None),
    ("提前终止日期", date(2019, 1, 1)),
    ("合同成立日", date(2029, 1, 1)),
    ("连续投保起始日", date(2029, 1, 1)),
    ("新保/续保", "续保"),  # without the day it is continuous since
    ("预留手机号*", "1380013800"),
    ("预留手机号*", None),
    ("投保人手机号", "无手机"),
    ("投保人姓名*", None),
    ("与被保险人关系*", "邻居"),
    ("投保人证件号码", "31010519800101123"),
    ("投保人证件类型", None),
    ("是否有社保*", "大概"),
    ("可选责任", "美容"),
    ("除外疾病编码", "哮喘"),
    ("电子邮箱", "someone at example"),
    ("国籍", "火星人"),
]


def write_broken_roster(path: Path, *, year: int) -> None:
    """Thirty good rows and one row for each mistake, then mistakes that need two rows."""
    maker = Maker(Random(7), year)
    rows = [maker.row(maker.plain_cover()) for _ in range(30)]
    for header, value in MISTAKES:
        cover = maker.plain_cover()
        own = dict(zip(HEADERS, maker.row(cover), strict=True))
        cover.extra = {header: value(own[header]) if callable(value) else value}
        rows.append(maker.row(cover))
    one = maker.plain_cover()
    rows += [maker.row(one), maker.row(one)]  # the same policy of a child twice
    first, second = maker.twins_with_cards()
    second.child.id_number = first.child.id_number  # twins, one identity number
    rows += [maker.row(first), maker.row(second)]
    write(path, [("承保清单", [*_titles(year, len(rows)), list(HEADERS), *rows])])

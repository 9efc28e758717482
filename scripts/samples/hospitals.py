"""The sample hospital list: three sheets, known names, invented networks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from scripts.samples.book import write

HOSPITAL_HEADERS = (
    "医院编码*", "医院名称*", "英文名称", "省份", "城市*", "性质*", "医院类型", "医院等级", "连锁品牌", "互联网医院牌照", "热门医院",
    "医院简介", "服务时间", "就诊提示", "特色科室", "启用", "示例数据",
)  # fmt: skip
CAMPUS_HEADERS = ("医院编码*", "院区编码*", "院区名称*", "地址", "电话")
NETWORK_HEADERS = (
    "医院编码*", "院区编码*", "科室类别*", "系列*", "网络组*", "责任*", "直付服务范围", "生效日期*", "终止日期", "备注",
)  # fmt: skip

# City, province, dialing code, district names; then the public houses that everybody knows there.
CITIES: dict[str, tuple[str, str, str]] = {
    "北京": ("北京市", "010", "朝阳 海淀 东城 西城 顺义 丰台"), "上海": ("上海市", "021", "浦东 徐汇 长宁 静安 闵行 黄浦"),
    "广州": ("广东省", "020", "天河 越秀 海珠 番禺"), "深圳": ("广东省", "0755", "福田 南山 罗湖 宝安"),
    "杭州": ("浙江省", "0571", "西湖 拱墅 滨江 临平"), "南京": ("江苏省", "025", "鼓楼 建邺 玄武"),
    "苏州": ("江苏省", "0512", "姑苏 工业园区"), "成都": ("四川省", "028", "锦江 武侯 高新"),
    "重庆": ("重庆市", "023", "渝中 江北"), "武汉": ("湖北省", "027", "江岸 武昌"),
    "西安": ("陕西省", "029", "碑林 雁塔"), "天津": ("天津市", "022", "和平 河西"),
    "青岛": ("山东省", "0532", "市南 崂山"), "济南": ("山东省", "0531", "历下 槐荫"),
    "长沙": ("湖南省", "0731", "雨花 岳麓"), "郑州": ("河南省", "0371", "金水 郑东"),
    "沈阳": ("辽宁省", "024", "和平 铁西"), "大连": ("辽宁省", "0411", "中山 西岗"),
    "厦门": ("福建省", "0592", "思明 湖里"), "合肥": ("安徽省", "0551", "庐阳 蜀山"),
    "长春": ("吉林省", "0431", "朝阳 南关"), "昆明": ("云南省", "0871", "五华 盘龙"),
}  # fmt: skip
PUBLIC: dict[str, str] = {
    "北京": "北京协和医院 首都医科大学附属北京儿童医院 首都儿科研究所附属儿童医院 北京大学第一医院 北京大学第三医院 "
    "首都医科大学附属北京友谊医院 中日友好医院 北京大学人民医院 首都医科大学附属北京同仁医院 北京妇产医院",
    "上海": "上海儿童医学中心 复旦大学附属儿科医院 上海市儿童医院 上海交通大学医学院附属新华医院 复旦大学附属华山医院 "
    "上海交通大学医学院附属瑞金医院 复旦大学附属中山医院 上海市第六人民医院 复旦大学附属眼耳鼻喉科医院",
    "广州": "广州市妇女儿童医疗中心 中山大学附属第一医院 广东省人民医院 南方医科大学南方医院",
    "深圳": "深圳市儿童医院 深圳市妇幼保健院 香港大学深圳医院",
    "杭州": "浙江大学医学院附属儿童医院 浙江大学医学院附属第一医院 浙江大学医学院附属邵逸夫医院",
    "南京": "南京医科大学附属儿童医院 江苏省人民医院 南京鼓楼医院",
    "苏州": "苏州大学附属儿童医院 苏州大学附属第一医院",
    "成都": "四川大学华西医院 四川大学华西第二医院 成都市妇女儿童中心医院",
    "重庆": "重庆医科大学附属儿童医院 重庆医科大学附属第一医院",
    "武汉": "武汉儿童医院 华中科技大学同济医学院附属同济医院 华中科技大学同济医学院附属协和医院",
    "西安": "西安市儿童医院 西安交通大学第一附属医院",
    "天津": "天津市儿童医院 天津医科大学总医院",
    "青岛": "青岛市妇女儿童医院 青岛大学附属医院",
    "济南": "山东大学附属儿童医院 山东大学齐鲁医院",
    "长沙": "湖南省儿童医院 中南大学湘雅医院",
    "郑州": "河南省儿童医院 郑州大学第一附属医院",
    "沈阳": "中国医科大学附属盛京医院 中国医科大学附属第一医院",
    "大连": "大连市妇女儿童医疗中心 大连医科大学附属第一医院",
    "厦门": "厦门市儿童医院 厦门大学附属第一医院",
    "合肥": "安徽省儿童医院 中国科学技术大学附属第一医院",
    "长春": "长春市儿童医院 吉林大学第一医院",
    "昆明": "昆明市儿童医院 云南省第一人民医院",
}
# Clinic brands: kind of house, the benefits it is good for, the cities it is in.
BRANDS: list[tuple[str, str, str, str]] = [
    ("和睦家", "综合医院", "门诊 急诊 住院 疫苗 齿科", "北京 上海 广州 深圳 杭州 青岛 天津"),
    ("嘉会", "综合医院", "门诊 急诊 住院 疫苗", "上海"),
    ("美中宜和", "妇儿医院", "门诊 急诊 住院 疫苗", "北京 杭州 成都"),
    ("新世纪", "儿童医院", "门诊 急诊 住院 疫苗", "北京 成都 苏州"),
    ("卓正", "诊所", "门诊 疫苗 齿科 眼科", "深圳 广州 长沙 成都 武汉 杭州 苏州 重庆 上海 北京"),
    ("唯儿诺", "儿科诊所", "门诊 疫苗", "上海 苏州 南京 厦门"),
    ("怡禾", "儿科诊所", "门诊 疫苗", "广州 深圳 武汉 长沙 杭州"),
    ("知贝", "儿科诊所", "门诊 疫苗", "广州 深圳"),
    ("怡德", "综合门诊", "门诊 疫苗 齿科", "上海 北京 苏州"),
    ("瑞尔", "齿科诊所", "齿科", "北京 上海 深圳 广州 杭州 厦门 天津 成都"),
    ("拜博", "口腔医院", "齿科", "北京 上海 武汉 长沙 重庆 西安 郑州 青岛 大连"),
    ("爱尔", "眼科医院", "眼科", "长沙 武汉 沈阳 成都 重庆 上海 北京 济南 西安 合肥 昆明 长春"),
]
HOURS = [
    "周一至周日 08:30–17:30",
    "周一至周五 08:00–17:00",
    "24 小时急诊；门诊 08:00–20:00",
    "周二至周日 09:00–18:00",
]
TIPS = [
    "请携带电子保险卡与带照片的证件",
    "首诊请提前 30 分钟到达",
    "疫苗接种请携带接种本",
    "儿科夜间门诊请先致电",
]
BENEFITS_2024 = {"门诊", "急诊", "住院", "疫苗"}  # NET-05


@dataclass
class House:
    code: str
    name: str
    city: str
    public: bool
    kind: str
    brand: str
    benefits: list[str]
    campuses: list[tuple[str, str, str]]  # code, name, address


class Maker:
    def __init__(self, random: Random, year: int):
        self.random, self.year = random, year

    def houses(self, wanted: int) -> list[House]:
        found = [*self._public(), *self._private()]
        return found[:wanted]

    def _public(self) -> Iterator[House]:
        number = 0
        for city, names in PUBLIC.items():
            for name in names.split():
                number += 1
                child = any(word in name for word in ("儿童", "儿科", "妇"))
                benefits = ["门诊", "急诊", "住院"] + (["疫苗"] if child else [])
                campuses = [self._campus(city, "01", "本部")]
                if self.random.random() < 0.35:
                    campuses.append(
                        self._campus(city, "02", self.random.choice(CITIES[city][2].split()) + "院区")
                    )
                yield House(
                    f"PUB{number:04d}",
                    name,
                    city,
                    True,
                    "儿童医院" if child else "综合医院",
                    "",
                    benefits,
                    campuses,
                )

    def _private(self) -> Iterator[House]:
        number = 0
        while True:
            for brand, kind, benefits, cities in BRANDS:
                for city in cities.split():
                    number += 1
                    district = CITIES[city][2].split()[(number // 7) % len(CITIES[city][2].split())]
                    place = f"{city}{district}"
                    name = f"{place}{brand}{kind}" + (f"（{number}店）" if number > 70 else "")
                    yield House(
                        f"PRI{number:04d}", name, city, False, kind, brand, benefits.split(),
                        [self._campus(city, "01", "本部")],
                    )  # fmt: skip
            if number > 600:
                return

    def _campus(self, city: str, code: str, name: str) -> tuple[str, str, str]:
        districts = CITIES[city][2].split()
        return code, name, f"{city}市{self.random.choice(districts)}区示例路{self.random.randint(1, 999)}号"

    # --- rows -----------------------------------------------------------------------------------------------

    def hospital_row(self, house: House) -> list[Any]:
        r = self.random
        province = CITIES[house.city][0]
        grade = (
            r.choice(["三级甲等", "三甲", "三级甲等"])
            if house.public
            else r.choice(["", "未定级", "一级", "二级"])
        )
        english = f"{house.brand or 'Public'} sample hospital {house.code}"
        return [
            house.code, house.name if r.random() > 0.02 else f" {house.name}　", english, province, house.city,
            "公立" if house.public else r.choice(["私立", "民营"]), house.kind, grade, house.brand,
            "是" if r.random() < 0.1 else "否", "是" if house.public and r.random() < 0.3 else "否",
            f"{house.name}（样例简介）", r.choice(HOURS), r.choice(TIPS),
            "儿科、新生儿科" if "儿" in house.kind else "儿科、全科", "是", "是",
        ]  # fmt: skip

    def campus_rows(self, house: House) -> Iterator[list[Any]]:
        dialing = CITIES[house.city][1]
        for code, name, address in house.campuses:
            yield [house.code, code, name, address, f"{dialing}-{self.random.randint(20000000, 89999999)}"]

    def network_rows(self, house: House) -> Iterator[list[Any]]:
        """Public houses through special or international departments only (PR-09)."""
        r = self.random
        departments = [r.choice(["特需部", "国际部"])] if house.public else ["普通部"]
        if house.public and r.random() < 0.25:
            departments = ["特需部", "国际医疗部"]
        groups = [("2026系列", "全国版"), ("2024系列", "A组"), ("2024系列", "B组")]
        if house.city == "北京" or r.random() < 0.05:
            groups.append(("2026系列", "北京版"))
        for code, _name, _address in house.campuses[: 1 if r.random() < 0.5 else 2]:
            for series, group in groups:
                if r.random() < 0.25:
                    continue
                starts, ends, note = self._period(series)
                for department in departments:
                    for benefit in house.benefits:
                        if series == "2024系列" and benefit not in BENEFITS_2024:
                            continue
                        yield [
                            house.code,
                            code,
                            department,
                            series,
                            group,
                            benefit,
                            benefit,
                            starts,
                            ends,
                            note,
                        ]

    def _period(self, series: str) -> tuple[Any, Any, str]:
        first = date(self.year, 1, 1) if series == "2026系列" else date(2024, 1, 1)
        chance = self.random.random()
        if chance < 0.05:
            return first, date(self.year, 6, 30), "合作终止"
        if chance < 0.08:
            return date(self.year, 12, 1), None, "新增"
        if chance < 0.2:
            return f"{first.year}年{first.month}月{first.day}日", None, ""
        return first, None, ""


def _sheets(maker: Maker, houses: list[House]) -> list[tuple[str, list[list[Any]]]]:
    return [
        ("医院", [["成长优享 直付医院目录（样例，网络关系为虚构）"], [f"版本：{maker.year}-01"], list(HOSPITAL_HEADERS),
                 *(maker.hospital_row(house) for house in houses)]),
        ("院区", [["院区清单"], list(CAMPUS_HEADERS), *(row for house in houses for row in maker.campus_rows(house))]),
        ("直付网络", [["直付网络清单（样例）"], list(NETWORK_HEADERS),
                   *(row for house in houses for row in maker.network_rows(house))]),
    ]  # fmt: skip


def write_hospitals(path: Path, *, year: int) -> None:
    maker = Maker(Random(20260102), year)
    write(path, _sheets(maker, maker.houses(300)))


def write_broken_hospitals(path: Path, *, year: int) -> None:
    """Ten good hospitals and the mistakes such lists arrive with."""
    maker = Maker(Random(3), year)
    houses = maker.houses(10)
    sheets = _sheets(maker, houses)
    hospitals, campuses, network = (rows for _title, rows in sheets)
    good = hospitals[3]
    hospitals += [
        list(good),  # the same code twice
        _changed(good, "BAD 1!", 0), _changed(good, None, 0), _changed(good, None, 1), _changed(good, None, 4),
        ["PUB9001", *good[1:5], "军队", *good[6:]], ["PUB9002", *good[1:7], "四级特等", *good[8:]],
        ["PUB9003", *good[1:9], "不清楚", *good[10:]],
    ]  # fmt: skip
    campuses += [
        ["PUB7777", "01", "本部", "无此医院", ""], ["PUB0001", None, "无编码", "", ""], ["PUB0001", "01", "重复", "", ""],
    ]  # fmt: skip
    line = ["PUB0001", "01", "国际部", "2026系列", "全国版", "门诊", "门诊", date(year, 1, 1), None, ""]
    network += [
        _changed(line, "99", 1), _changed(line, "门诊部", 2), _changed(line, "2019系列", 3), _changed(line, "上海版", 4),
        _changed(line, "中医", 5), _changed(line, "2024系列", 3), [*line[:3], "2024系列", "A组", "眼科", *line[6:]],
        _changed(line, "全部", 6), _changed(line, "2026-13-01", 7), _changed(line, date(2020, 1, 1), 8),
        [*line[:2], "特需部", *line[3:5], "急诊", *line[6:]], [*line[:2], "特需部", *line[3:5], "急诊", *line[6:]],
    ]  # fmt: skip
    write(path, sheets)


def _changed(row: list[Any], value: Any, position: int) -> list[Any]:
    return [*row[:position], value, *row[position + 1 :]]

"""Invented people: names, identity numbers with right check digits, mobile numbers."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from stdnum.cn import ric

SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈"
    "姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
ODD_SURNAMES = ["欧阳", "上官", "司马", "诸葛", "皇甫", "尉迟", "万俟", "单于", "令狐", "长孙", "仇", "单", "解",
                "查", "盖", "区", "乐", "缪", "朴", "卜", "那", "逄", "冼"]  # fmt: skip
BOYS = "子轩浩宇宇轩梓睿俊熙宸煜嘉懿奕辰铭泽思远一诺沐阳景行博文星河知行予安亦辰承泽君昊瑾瑜"
GIRLS = "子涵欣怡诗涵雨桐梓萱可馨语嫣若溪佳怡思琪依诺沐晴清欢安然芷若静姝念初书瑶婉清乐瑶星苒"
RARE = ["䶮", "𠮷", "喆", "龘", "玥", "煊", "㛃", "嬛", "昇", "堃", "翀", "骉"]
FOREIGN = ["SMITH EMMA", "JOHNSON LIAM", "Müller Hanna", "TANAKA YUI", "KIM MINJUN", "Dubois Chloé", "O'NEIL JACK",
           "SINGH ARJUN"]  # fmt: skip
REGIONS = [
    "110101", "110105", "110108", "120101", "310101", "310104", "310105", "310115", "320102", "320505", "330102",
    "330106", "330113", "440103", "440106", "440305", "510104", "510107", "420102", "420106", "610113", "500103",
    "370202", "210102", "430102", "350203", "340102", "410105", "130102", "450103",
]  # fmt: skip


class People:
    """A generator with a memory: no two identity numbers are the same."""

    def __init__(self, random: Random):
        self.random = random
        self._taken: set[str] = set()

    def surname(self) -> str:
        r = self.random
        return r.choice(ODD_SURNAMES) if r.random() < 0.02 else SURNAMES[int(len(SURNAMES) * r.random() ** 2)]

    def given(self, sex: str) -> str:
        r = self.random
        pool = BOYS if sex == "M" else GIRLS
        if r.random() < 0.04:
            return r.choice(RARE) if r.random() < 0.5 else r.choice(pool) + r.choice(RARE)
        return r.choice(pool) + (r.choice(pool) if r.random() < 0.88 else "")

    def child_birth(self, on: date) -> date:
        """From a few weeks old to seventeen, young ones more often."""
        return on - timedelta(days=30 + int(6200 * self.random.random() ** 1.6))

    def adult_birth(self, child: date) -> date:
        return child - timedelta(days=self.random.randint(22 * 365, 42 * 365))

    def resident_id(self, born: date, sex: str, region: str = "") -> str:
        while True:
            order = self.random.randrange(0, 499) * 2 + (1 if sex == "M" else 0)
            body = f"{region or self.random.choice(REGIONS)}{born:%Y%m%d}{order:03d}"
            number = body + ric.calc_check_digit(body + "0")
            if self._fresh(number):
                return number

    def passport(self) -> str:
        return self._number(lambda: self.random.choice("EGLMNPX") + f"{self.random.randrange(10**8):08d}")

    def hk_permit(self) -> str:
        return self._number(lambda: self.random.choice("HM") + f"{self.random.randrange(10**8):08d}")

    def taiwan_permit(self) -> str:
        return self._number(lambda: f"{self.random.randrange(10**8):08d}")

    def birth_certificate(self) -> str:
        return self._number(lambda: self.random.choice("RSTU") + f"{self.random.randrange(10**9):09d}")

    def mobile(self) -> str:
        return self._number(
            lambda: (
                self.random.choice(["138", "139", "150", "186", "188", "177", "199"])
                + f"{self.random.randrange(10**8):08d}"
            )
        )

    def _number(self, make: object) -> str:
        while True:
            number = make()  # type: ignore[operator]
            if self._fresh(number):
                return str(number)

    def _fresh(self, number: str) -> bool:
        if number in self._taken:
            return False
        self._taken.add(number)
        return True

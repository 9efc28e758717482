"""Names as staff type them: pinyin with the right surname reading, initials, masks."""

from __future__ import annotations

import re

from apps.core.imports.pinyin import syllables

# Readings that differ in surnames; compound surnames stand first.
_COMPOUND = {
    "万俟": "mo qi", "尉迟": "yu chi", "单于": "chan yu", "长孙": "zhang sun", "澹台": "tan tai", "令狐": "ling hu",
    "皇甫": "huang fu", "宇文": "yu wen", "鲜于": "xian yu", "欧阳": "ou yang", "上官": "shang guan", "司马": "si ma",
    "司徒": "si tu", "诸葛": "zhu ge", "夏侯": "xia hou", "东方": "dong fang", "慕容": "mu rong", "公孙": "gong sun",
    "端木": "duan mu", "独孤": "du gu", "南宫": "nan gong", "轩辕": "xuan yuan", "钟离": "zhong li", "呼延": "hu yan",
    "赫连": "he lian", "濮阳": "pu yang", "申屠": "shen tu", "太史": "tai shi", "闻人": "wen ren", "西门": "xi men",
    "百里": "bai li", "东郭": "dong guo", "拓跋": "tuo ba", "完颜": "wan yan", "纳兰": "na lan", "第五": "di wu",
}  # fmt: skip
_SINGLE = {
    "单": "shan", "仇": "qiu", "解": "xie", "区": "ou", "查": "zha", "曾": "zeng", "盖": "ge", "乐": "yue",
    "员": "yun", "繁": "po", "种": "chong", "冼": "xian", "洗": "xian", "朴": "piao", "折": "she", "那": "na",
    "祭": "zhai", "秘": "bi", "句": "gou", "燕": "yan", "任": "ren", "华": "hua", "晁": "chao", "缪": "miao",
    "过": "guo", "应": "ying", "尉": "wei", "覃": "qin", "宓": "mi", "召": "shao", "殷": "yin", "逄": "pang",
    "郇": "xun", "隗": "wei", "乜": "nie", "呙": "guo", "逯": "lu", "佴": "nai", "瞿": "qu", "翟": "zhai",
    "车": "che", "贲": "ben", "哈": "ha", "阚": "kan", "牟": "mu", "宁": "ning", "卜": "bu", "石": "shi",
    "沈": "shen", "谌": "chen", "都": "du", "干": "gan", "重": "chong", "撒": "sa", "俞": "yu", "於": "yu",
    "曲": "qu", "柏": "bai", "薄": "bo", "藏": "zang", "朝": "chao", "相": "xiang", "舍": "she", "粘": "nian",
}  # fmt: skip


def surname_of(name: str) -> str:
    """'欧阳', '王'; for a name in Latin letters its first word."""
    if name[:2] in _COMPOUND and len(name) > 2:
        return name[:2]
    return name.split(" ")[0] if name.isascii() else name[:1]


def reading(name: str) -> tuple[str, str]:
    """(pinyin without spaces, initials): '曾小明' → ('zengxiaoming', 'zxm')."""
    if name.isascii():
        words = re.findall(r"[a-z]+", name.lower())
    else:
        surname = surname_of(name)
        known = _COMPOUND.get(surname) or _SINGLE.get(surname)
        words = (known.split() if known else syllables(surname)) + syllables(name[len(surname) :])
    return "".join(words)[:200], "".join(word[0] for word in words)[:20]


def mask_name(name: str) -> str:
    """'王**': the family name stays readable."""
    surname = surname_of(name)
    return surname + "*" * max(len(name) - len(surname), 1)


def mask_email(address: str) -> str:
    """'z***@example.com'."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}***{at}{domain}" if at else "*" * len(address)

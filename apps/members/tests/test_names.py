"""Readings of names as staff type them."""

import pytest

from apps.core.imports.pinyin import typed
from apps.members.names import mask_email, mask_name, reading


@pytest.mark.parametrize(
    ("name", "pinyin", "initials"),
    [
        ("曾小明", "zengxiaoming", "zxm"), ("单丽", "shanli", "sl"), ("仇英", "qiuying", "qy"), ("解缙", "xiejin", "xj"),
        ("万俟雨桐", "moqiyutong", "mqyt"), ("单于静", "chanyujing", "cyj"), ("尉迟恭", "yuchigong", "ycg"),
        ("欧阳修", "ouyangxiu", "oyx"), ("吕绿", "lvlv", "ll"), ("王䶮", "wangyan", "wy"), ("郭𠮷", "guoji", "gj"),
        ("买买提·艾力", "maimaitiaili", "mmtal"), ("John Smith", "johnsmith", "js"), ("欧阳", "ouyang", "oy"),
    ],
)  # fmt: skip
def test_readings(name, pinyin, initials):
    assert reading(name) == (pinyin, initials)


def test_typed_spellings_meet_the_stored_one():
    assert typed("Lyu Xiao-Ming") == typed("lü xiaoming") == typed("LV XIAO MING") == "lvxiaoming"


def test_masks_keep_the_family_name():
    assert mask_name("王小明") == "王**"
    assert mask_name("欧阳修") == "欧阳*"
    assert mask_name("John Smith") == "John******"
    assert mask_email("someone@example.com") == "s***@example.com"

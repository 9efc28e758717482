"""Contexts of letters for tests and the benchmark."""

from datetime import date

from apps.documents.letter_contexts import (
    About,
    AcceptanceContext,
    EobContext,
    EobLine,
    LimitLeft,
    MissingPaper,
    PayeeBlock,
    Reason,
    RefusalContext,
    SupplementContext,
    VisitLine,
)


def about(child: str = "王**", addressee: str = "张女士") -> About:
    return About(
        addressee=addressee,
        child=child,
        policy="P2026-M000001",
        case="C26-000412",
        reported_on=date(2026, 9, 28),
        plan="全国版",
    )


VISITS = (
    VisitLine(date(2026, 9, 20), "上海市儿童医院", "门诊", 6_420_00),
    VisitLine(date(2026, 9, 22), "复旦大学附属儿科医院", "住院", 18_420_00, date(2026, 9, 27)),
)
REASON = Reason("陪护费不属于医疗费用", "生活照料费用不属于保险责任。", "REC-02", "26:265", 400_00, "无")


def acceptance(**values) -> AcceptanceContext:
    return AcceptanceContext(**({"about": about(), "visits": VISITS, "claimed_fen": 24_840_00} | values))


def supplement(**values) -> SupplementContext:
    missing = (
        MissingPaper("医疗发票", "第 2 张图像模糊", "彩色清晰图像", "票据 31010126 0004512345", True),
        MissingPaper("出院小结", "未提交", "出院小结复印件"),
    )
    given = {"about": about(), "missing": missing, "satisfied": ("理赔申请书",)} | values
    return SupplementContext(**given)


def line(name: str, billed: int, third: int = 0, disallowed: int = 0, own: int = 0, reasons=()) -> EobLine:
    return EobLine(
        name, billed, third, disallowed, 0, own, billed - third - disallowed - own, reasons, "9月20日 门诊"
    )


def eob(lines: int = 10, **values) -> EobContext:
    rows = (
        line("陪护费", 400_00, 0, 400_00, 0, (1,)),
        *(line(f"检查项目 {n}", 100_00 * n, 20_00, 0, 10_00) for n in range(1, lines)),
    )
    given = {
        "about": about(),
        "outcome": "PARTIAL",
        "decided_on": date(2026, 10, 9),
        "lines": rows,
        "paid_fen": sum(row.paid_fen for row in rows),
        "reasons": (REASON,),
        "limits": (LimitLeft("年度总限额", "1,000,000.00", "52,310.00", "947,690.00"),),
        "payee": PayeeBlock("张*", "招商银行上海分行", "6225 **** **** 8812"),
    } | values
    return EobContext(**given)


def refusal(**values) -> RefusalContext:
    given = {
        "about": about(),
        "at_intake": False,
        "decided_on": date(2026, 10, 9),
        "claimed_fen": 1_200_00,
        "reasons": (REASON,),
        "visits": VISITS[:1],
    } | values
    return RefusalContext(**given)

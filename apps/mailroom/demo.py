"""Demo mail: put into the folders of the mailboxes, so that the poller takes it in like any other."""

from __future__ import annotations

import io
import os
import zipfile
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from django.utils import timezone

from apps.cases.models import CaseFile
from apps.cases.pages import WAITING_STATES
from apps.claims import demo_scans
from apps.mailroom.inbox.mailboxes import account_for, mailboxes
from apps.mailroom.inbox.polling import poll_all
from apps.mailroom.models import Email, Mailbox
from apps.members.models import Guardian


def build(now: datetime | None = None) -> int:
    """Messages of every kind for the inbox; returns how many. Nothing when mail is there or read elsewhere."""
    if Email.objects.exists():
        return 0
    now = now or timezone.now()
    boxes = {row.series: row for row in reversed(mailboxes()) if row.key == "claims_mailbox"}
    folders = {series: _folder(row) for series, row in boxes.items()}
    made = 0
    for series, folder in folders.items():
        if folder is None:
            continue
        for index, (message, hours) in enumerate(_messages(series, boxes[series].address)):
            at = now - timedelta(hours=hours)
            message["Date"], message["To"] = format_datetime(at), boxes[series].address
            message["Message-ID"] = f"<demo.{series}.{index}@mail.example.com>"
            path = folder / "new" / f"demo-{series}-{index}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(message.as_bytes())
            os.utime(path, (at.timestamp(), at.timestamp()))
            made += 1
    poll_all()
    return made


def _folder(mailbox: Mailbox) -> Path | None:
    account = account_for(mailbox)
    return Path(account.folder) if account is not None and account.scheme == "maildir" else None


def _messages(series: str, address: str) -> list[tuple[EmailMessage, float]]:
    """What comes on a morning: (message, hours ago)."""
    case, guardian = _waiting(series)
    found = [
        (
            _mail(
                "新的保险理赔问题",
                "li.na@mail.example.com",
                "李娜",
                "您好，孩子上周去医院看了感冒，想问一下怎么报销？",
            ),
            3.0,
        ),
        (
            _mail(
                "发票清单打包",
                "zhou.min@mail.example.com",
                "周敏",
                "资料都在压缩包里。",
                zip=_zip(),
                xls=b"\xd0\xcf\x11\xe0",
            ),
            5.5,
        ),
        (
            _mail("自动回复：我正在休假", "auto@mail.example.com", "陈先生", "我将于下周一回复。", auto=True),
            7.0,
        ),
        (_mail("限时优惠！保险公司都在用", "ads@promo.example.com", "推广", "点击领取", html=True), 9.0),
    ]
    if case is not None and guardian is not None:
        day = f"{case.opened_at:%Y-%m-%d}"
        scan = demo_scans.record(str(case.hospital or "示例市儿童医院"), "儿科", day, "急性支气管炎")
        name = guardian.name
        found += [
            (
                _mail(
                    f"补充材料 {case.number}",
                    guardian.email,
                    name,
                    "您好，附件是缺少的资料，请查收。",
                    jpg=scan,
                ),
                1.0,
            ),
            (
                _mail(
                    f"案件 {case.number} 的资料", "someone@elsewhere.example.com", "匿名", "请处理", jpg=scan
                ),
                2.0,
            ),
            (
                _mail(
                    "原件已寄出",
                    guardian.email,
                    name,
                    f"被保险人：{case.member.name}\n顺丰单号 SF1234567890123，请查收。",
                ),
                4.0,
            ),
        ]
    return found


def _waiting(series: str) -> tuple[CaseFile | None, Guardian | None]:
    """A demo claim that waits for papers, and a guardian who has an address."""
    states = sorted(state for states in WAITING_STATES.values() for state in states)
    cases = CaseFile.objects.filter(
        series=series, open=True, state__in=states, member__number__startswith="DEMO"
    )
    for case in cases.select_related("member").order_by("pk")[:20]:
        guardian = Guardian.objects.filter(member=case.member_id).exclude(email="").order_by("pk").first()
        if guardian is not None:
            return case, guardian
    return None, None


def _mail(
    subject: str, sender: str, name: str, text: str, *, jpg: bytes = b"", zip: bytes = b"", xls: bytes = b"",
    auto: bool = False, html: bool = False,
) -> EmailMessage:  # fmt: skip
    message = EmailMessage()
    message["From"], message["Subject"] = f"{name} <{sender}>", subject
    if auto:
        message["Auto-Submitted"] = "auto-replied"
    if html:
        message.set_content(f"<p>{text}</p><img src='https://ads.example.com/pixel.png'>", subtype="html")
    else:
        message.set_content(f"{text}\n")
    for data, file_name in ((jpg, "病历.jpg"), (zip, "全部资料.zip"), (xls, "费用清单.xls")):
        if data:
            message.add_attachment(data, maintype="application", subtype="octet-stream", filename=file_name)
    return message


def _zip() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("发票.txt", "发票")
    return buffer.getvalue()

"""What orders pay that are of no case: who books the bank's answer, and where the page of it is.

An app above registers what it orders payments for (`AppConfig.ready`); the number tells it apart.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from apps.accounts.actors import Actor
    from apps.cases.models import CaseFile
    from apps.payments.models import PaymentOrder


@dataclass(frozen=True)
class BankResult:
    """One line of what the bank answered; `row` is where it stood in the file."""

    order: str
    paid: bool
    reference: str = ""
    reason: str = ""
    row: int = 0


@dataclass(frozen=True)
class Subject:
    """`prefix` begins the numbers ("HS"); `book(actor, order, result, now)` books an answer in the caller's
    transaction and gives the cases it touched; `url(number)` is the page in the admin."""

    prefix: str
    book: Callable[[Actor, PaymentOrder, BankResult, datetime], list[CaseFile]]
    url: Callable[[str], str]


SUBJECTS: dict[str, Subject] = {}


def register(subject: Subject) -> None:
    """Say who stands for payments under numbers with this prefix; once."""
    if SUBJECTS.setdefault(subject.prefix, subject) != subject:
        raise ValueError(f"payments for {subject.prefix} are registered twice")


def subject_of(reference: str) -> Subject:
    """Who stands for a payment; KeyError for a number nobody registered."""
    return next(subject for prefix, subject in SUBJECTS.items() if reference.startswith(prefix))

"""What outsiders may hear of: one closed list, the published contract of version 1.

A name is "<kind>.<event>"; the event is the one the house emits. What takes a public event back is public,
too: who heard of a payment hears of its reversal. Internal events stand in `INTERNAL`; a test finds every
event that stands in neither. A kind whose app is not installed is not offered. Adding a name is no new
version; taking one away or giving it another meaning is.
"""

from __future__ import annotations

from functools import cache

from django.utils.translation import pgettext_lazy

from apps.cases.kinds import KINDS, Text, kind_of

VERSION = 1
PING = "ping"

EVENTS: dict[str, dict[str, Text]] = {
    "claim": {
        "reported": pgettext_lazy("webhook", "reported"),
        "emergency_held": pgettext_lazy("webhook", "emergency at a private hospital, a senior decides"),
        "supplement_sent": pgettext_lazy("webhook", "papers were asked for"),
        "papers_arrived": pgettext_lazy("webhook", "papers arrived"),
        "originals_received": pgettext_lazy("webhook", "originals received"),
        "parcel_refused": pgettext_lazy("webhook", "parcel refused: sent collect on delivery"),
        "originals_returned": pgettext_lazy("webhook", "originals sent back"),
        "materials_complete": pgettext_lazy("webhook", "papers are complete"),
        "undisputed_decided": pgettext_lazy("webhook", "amount beyond dispute decided"),
        "decided": pgettext_lazy("webhook", "decided"),
        "refused": pgettext_lazy("webhook", "refused"),
        "paid": pgettext_lazy("webhook", "paid"),
        "part_paid": pgettext_lazy("webhook", "paid in part"),
        "payment_returned": pgettext_lazy("webhook", "payment came back"),
        "part_returned": pgettext_lazy("webhook", "part payment came back"),
        "account_asked": pgettext_lazy("webhook", "another account is needed"),
        "withdrawn": pgettext_lazy("webhook", "withdrawn"),
        "closed_no_papers": pgettext_lazy("webhook", "closed, papers never came"),
        "closed": pgettext_lazy("webhook", "closed"),
        "reopened": pgettext_lazy("webhook", "reopened"),
        "readmitted": pgettext_lazy("webhook", "taken up again after an appeal"),
    },
    "authorization": {
        "authorization_submitted": pgettext_lazy("webhook", "submitted"),
        "emergency_notified": pgettext_lazy("webhook", "reported by the hospital after an emergency"),
        "papers_asked": pgettext_lazy("webhook", "papers were asked for"),
        "authorization_complete": pgettext_lazy("webhook", "papers are complete"),
        "authorization_decided": pgettext_lazy("webhook", "decided"),
        "authorization_rejected": pgettext_lazy("webhook", "refused"),
        "reconsideration_asked": pgettext_lazy("webhook", "reconsideration asked for"),
        "not_required": pgettext_lazy("webhook", "not required"),
        "letter_issued": pgettext_lazy("webhook", "guarantee letter issued"),
        "letter_sent": pgettext_lazy("webhook", "guarantee letter sent"),
        "letter_suspended": pgettext_lazy("webhook", "guarantee letter suspended, card stopped"),
        "letter_resumed": pgettext_lazy("webhook", "guarantee letter serves again"),
        "letter_voided": pgettext_lazy("webhook", "guarantee letter void"),
        "letter_expired": pgettext_lazy("webhook", "guarantee letter expired unused"),
        "admitted": pgettext_lazy("webhook", "admitted"),
        "supplement_asked": pgettext_lazy("webhook", "supplement asked for"),
        "supplement_granted": pgettext_lazy("webhook", "supplement granted"),
        "supplement_refused": pgettext_lazy("webhook", "supplement refused"),
        "discharged": pgettext_lazy("webhook", "discharged"),
        "withdrawn": pgettext_lazy("webhook", "withdrawn"),
        "closed": pgettext_lazy("webhook", "closed"),
    },
    "appointment": {
        "request_received": pgettext_lazy("webhook", "asked for"),
        "appointment_reported": pgettext_lazy("webhook", "reported by the hospital"),
        "accepted": pgettext_lazy("webhook", "being arranged"),
        "confirmed": pgettext_lazy("webhook", "confirmed"),
        "rescheduled": pgettext_lazy("webhook", "moved"),
        "unavailable": pgettext_lazy("webhook", "hospital has no place"),
        "rejected": pgettext_lazy("webhook", "declined"),
        "canceled": pgettext_lazy("webhook", "canceled"),
        "suspended": pgettext_lazy("webhook", "suspended, card stopped"),
        "restored": pgettext_lazy("webhook", "restored"),
        "checked_in": pgettext_lazy("webhook", "checked in"),
        "check_in_undone": pgettext_lazy("webhook", "check-in taken back"),
        "no_show": pgettext_lazy("webhook", "did not come"),
        "found_present": pgettext_lazy("webhook", "the child was there after all"),
        "visit_completed": pgettext_lazy("webhook", "visit completed"),
        "ended": pgettext_lazy("webhook", "ended by the end of the cover"),
    },
    "direct": {
        "submitted": pgettext_lazy("webhook", "submitted"),
        "announced": pgettext_lazy("webhook", "announced by the visit, bills awaited"),
        "papers_asked": pgettext_lazy("webhook", "papers were asked for"),
        "admitted": pgettext_lazy("webhook", "admitted"),
        "discharged": pgettext_lazy("webhook", "discharged"),
        "materials_complete": pgettext_lazy("webhook", "papers are complete"),
        "decided": pgettext_lazy("webhook", "decided"),
        "refused": pgettext_lazy("webhook", "refused"),
        "paid_to_hospital": pgettext_lazy("webhook", "paid to the hospital"),
        "settlement_returned": pgettext_lazy("webhook", "settlement came back"),
        "withdrawn": pgettext_lazy("webhook", "withdrawn"),
        "closed": pgettext_lazy("webhook", "closed"),
        "reopened": pgettext_lazy("webhook", "reopened"),
    },
    "bill": {
        "bill_opened": pgettext_lazy("webhook", "bill opened"),
        "bill_notified": pgettext_lazy("webhook", "reminder sent"),
        "bill_final_notice": pgettext_lazy("webhook", "last reminder sent"),
        "bill_unreached": pgettext_lazy("webhook", "family not reached, with the manager"),
        "exhausted": pgettext_lazy("webhook", "reminders exhausted, card stopped"),
        "payment_recorded": pgettext_lazy("webhook", "payment recorded"),
        "paid_online": pgettext_lazy("webhook", "electronic payment received"),
        "paid": pgettext_lazy("webhook", "paid"),
        "payment_reversed": pgettext_lazy("webhook", "payment taken back"),
        "credit_given_back": pgettext_lazy("webhook", "credit given back"),
        "refunded_online": pgettext_lazy("webhook", "electronic payment given back"),
        "changed": pgettext_lazy("webhook", "amount follows the claim"),
        "corrected": pgettext_lazy("webhook", "amount corrected"),
        "canceled": pgettext_lazy("webhook", "canceled"),
    },
    "enquiry": {
        "enquiry_recorded": pgettext_lazy("webhook", "recorded"),
        "extended": pgettext_lazy("webhook", "more time for the answer"),
        "answered": pgettext_lazy("webhook", "answered"),
        "forms_sent": pgettext_lazy("webhook", "forms sent"),
        "enquiry_closed": pgettext_lazy("webhook", "closed"),
        "enquiry_reopened": pgettext_lazy("webhook", "reopened"),
    },
    "appeal": {
        "appeal_recorded": pgettext_lazy("webhook", "recorded"),
        "information_asked": pgettext_lazy("webhook", "papers were asked for"),
        "information_arrived": pgettext_lazy("webhook", "papers arrived"),
        "appeal_upheld": pgettext_lazy("webhook", "decision upheld"),
        "appeal_overturned": pgettext_lazy("webhook", "decision overturned, the claim is decided again"),
        "appeal_closed": pgettext_lazy("webhook", "answered"),
        "appeal_withdrawn": pgettext_lazy("webhook", "withdrawn"),
    },
    "advance": {
        "entitlement_applied": pgettext_lazy("webhook", "applied for"),
        "entitlement_verified": pgettext_lazy("webhook", "entitlement verified"),
        "ineligible": pgettext_lazy("webhook", "not eligible"),
        "papers_asked": pgettext_lazy("webhook", "papers were asked for"),
        "advance_complete": pgettext_lazy("webhook", "papers are complete"),
        "advance_incomplete": pgettext_lazy("webhook", "papers are not complete any more"),
        "investigation_opened": pgettext_lazy("webhook", "being investigated"),
        "investigation_closed": pgettext_lazy("webhook", "investigation ended"),
        "advance_approved": pgettext_lazy("webhook", "approved, letter to be signed"),
        "advance_terminated": pgettext_lazy("webhook", "terminated"),
        "documents_signed": pgettext_lazy("webhook", "documents signed"),
        "advanced": pgettext_lazy("webhook", "paid to the hospital by the provider"),
        "discharge_noticed": pgettext_lazy("webhook", "discharge announced"),
        "settled": pgettext_lazy("webhook", "settled, claim filed"),
        "adjudicated": pgettext_lazy("webhook", "claim decided"),
        "readjudicated": pgettext_lazy("webhook", "claim decided anew"),
        "refund_asked": pgettext_lazy("webhook", "difference to be refunded"),
        "difference_received": pgettext_lazy("webhook", "refund received"),
        "refunded": pgettext_lazy("webhook", "difference refunded"),
        "withdrawn": pgettext_lazy("webhook", "withdrawn"),
        "closed": pgettext_lazy("webhook", "closed"),
    },
    "test": {
        "test_ordered": pgettext_lazy("webhook", "test ordered"),
        "address_recognized": pgettext_lazy("webhook", "address recognized"),
        "test_rejected": pgettext_lazy("webhook", "address refused"),
        "sampled": pgettext_lazy("webhook", "sample taken"),
        "test_reported": pgettext_lazy("webhook", "report is there"),
        "report_shared": pgettext_lazy("webhook", "report shared"),
        "advice_given": pgettext_lazy("webhook", "advice given"),
        "test_canceled": pgettext_lazy("webhook", "canceled"),
        "closed": pgettext_lazy("webhook", "closed"),
    },
    "service": {
        "service_opened": pgettext_lazy("webhook", "requested"),
        "specialist_assigned": pgettext_lazy("webhook", "specialist assigned"),
        "on_site": pgettext_lazy("webhook", "on site"),
        "service_responded": pgettext_lazy("webhook", "answered"),
        "service_overdue": pgettext_lazy("webhook", "answer overdue"),
        "service_done": pgettext_lazy("webhook", "done"),
        "service_unavailable": pgettext_lazy("webhook", "not available"),
        "service_rejected": pgettext_lazy("webhook", "refused"),
        "service_canceled": pgettext_lazy("webhook", "canceled"),
    },
    "recovery": {
        "recovery_opened": pgettext_lazy("webhook", "opened"),
        "contact_late": pgettext_lazy("webhook", "first contact is late"),
        "notified": pgettext_lazy("webhook", "family contacted"),
        "notified_again": pgettext_lazy("webhook", "family contacted again"),
        "recovery_raised": pgettext_lazy("webhook", "amount raised"),
        "recovery_lowered": pgettext_lazy("webhook", "amount lowered"),
        "plan_agreed": pgettext_lazy("webhook", "instalments agreed"),
        "plan_broken": pgettext_lazy("webhook", "instalment missed"),
        "refund_recorded": pgettext_lazy("webhook", "refund received"),
        "refund_undone": pgettext_lazy("webhook", "refund taken back"),
        "refunded": pgettext_lazy("webhook", "refunded"),
        "escalated": pgettext_lazy("webhook", "overdue, with the manager"),
        "written_off": pgettext_lazy("webhook", "written off"),
        "given_back": pgettext_lazy("webhook", "refund given back to the family"),
        "give_back_returned": pgettext_lazy("webhook", "giving back came back from the bank"),
        "canceled": pgettext_lazy("webhook", "canceled"),
    },
}

# What nobody outside hears of: steps inside the house, and names that only clocks and subscribers read.
EVERYWHERE = {
    "assign", "take", "note", "set_priority", "attach_paper", "tick_paper", "record_call", "first_received", "cancelled",
    "decision_proposed", "materials_checked", "routed", "returned_to_reviewer",
}  # fmt: skip
INTERNAL: dict[str, frozenset[str]] = {
    kind: frozenset({*EVERYWHERE, *names.split()})
    for kind, names in {
        "claim": """claim_assigned clock_suspended compromise confirm_refusal decide decide_ex_gratia decide_hold
            dispute_closed dispute_opened facts_corrected finding_answered hold_decided inquiry_answered
            inquiry_canceled knowledge_of_nondisclosure log_more_originals log_originals medical_review_ordered
            new_account originals_complete overpaid overrule_refusal papers_reminded parcel_sent payee_changed
            payment_awaited payment_ordered refusal_proposed refusal_sent rescind reserve_adjusted resume_check
            resume_review retry_payment sending_recorded sign start_review supplement_delivered tracking_received
            undisputed_ordered""",
        "authorization": """ask_doctor authorization_proposed billed close costs_reported emergency_visit give_opinion
            go_without_letter letter_queued send_back send_back_supplement supplement_proposed""",
        "appointment": "appointment_arranged banned card_stopped closed missed_reviewed permit_late",
        "direct": """authorization_linked bills_sent clock_suspended costs_reported decide
            dispute_closed dispute_opened exception_decided facts_corrected finding_answered identity_recorded
            inquiry_answered inquiry_canceled medical_review_ordered refusal_sent set_off set_off_undone settled sign""",
        "bill": """bill_exhausted bill_notice_failed bill_paid cancel_recorded online_started reminder_bounced
            reminder_called reminder_delivered reminder_failed reminder_noted reminder_sent""",
        "advance": """admitted advance_adjudicated advance_decided advance_proposed checks_recorded costs_recorded
            discharge_date discharge_moved entrustment_sent exception_allowed first_called network_judged
            papers_pending proposal_sent_back refund_received refund_reminded""",
        "enquiry": """appeal_dropped appeal_taken_up appeal_wished complaint_answered complaint_received mark_complex message_answered
            message_received""",
        "test": "",
        "service": """closed consult_answered consult_received consult_received_late manager_contacted message_answered
            message_received service_answered service_requested""",
        "recovery": """closed due_moved give_back_ordered member_contacted payee_changed refund_received reminded
            write_off_declined write_off_proposed""",
        "appeal": "appeal_answered appeal_claim_reopened appeal_received appeal_settled information_delivered reopen_claim withdrawn",
        "inspection": "drawn finish_rework inspected send_to_rework uphold_objection",
    }.items()
}


@cache
def offered() -> dict[str, Text]:
    """Every name one can subscribe to, with its words; of the kinds that are installed."""
    return {
        f"{kind}.{event}": words
        for kind, events in EVENTS.items()
        if kind in KINDS
        for event, words in events.items()
    }


def words_of(name: str) -> str:
    """'claim: decided', in the language of now."""
    if name == PING:
        return str(pgettext_lazy("webhook", "test"))
    kind, _dot, _event = name.partition(".")
    words = offered().get(name, name)
    return f"{kind_of(kind).label} · {words}" if kind in KINDS else str(words)

"""Policies imported before there were cards get theirs (CRD-01, CRD-20)."""

import secrets

from django.db import migrations
from django.utils import timezone
from stdnum import luhn

CHUNK = 1_000


def issue(apps, schema_editor):
    using = schema_editor.connection.alias
    card = apps.get_model("cards", "Card")
    policies = apps.get_model("members", "Policy").objects.using(using).exclude(status="PENDING").order_by("pk")
    now, last = timezone.now(), 0
    while rows := list(policies.filter(pk__gt=last).values_list("pk", "member_id")[:CHUNK]):
        last = rows[-1][0]
        card.objects.using(using).bulk_create(
            [card(number=_number(), policy_id=pk, member_id=member, issued_at=now) for pk, member in rows],
            ignore_conflicts=True,
        )


def _number():
    body = f"80{secrets.randbelow(10**13):013d}"
    return body + str(luhn.calc_check_digit(body))


class Migration(migrations.Migration):
    dependencies = [("cards", "0001_initial")]

    operations = [migrations.RunPython(issue, migrations.RunPython.noop)]

"""What a family bore when its hospital was paid. Claims that were paid by a decision bore what it left them; those that
were paid ahead of it, nothing."""

from typing import Any

from django.db import migrations, models
from django.db.models import Exists, F, OuterRef, Subquery


def as_decided(apps: Any, schema_editor: Any) -> None:
    rows, claims = apps.get_model("direct", "DirectClaim").objects, apps.get_model("claims", "Claim").objects
    ahead = apps.get_model("direct", "HospitalPayment").objects.filter(direct=OuterRef("pk"), ahead=True)
    own = claims.filter(pk=OuterRef("pk")).annotate(own=F("claimed_fen") - F("decided_fen")).values("own")
    paid = rows.filter(paid_fen__gt=0, case__claim__decided_fen__gte=F("paid_fen"))
    paid.filter(~Exists(ahead)).update(borne_fen=Subquery(own))


class Migration(migrations.Migration):
    dependencies = [("direct", "0002_announced_visits"), ("claims", "0005_longer_channel")]

    operations = [
        migrations.AddField(
            model_name="directclaim",
            name="borne_fen",
            field=models.BigIntegerField(default=0, verbose_name="share of the family when paid (fen)"),
        ),
        migrations.RunPython(as_decided, migrations.RunPython.noop),
    ]

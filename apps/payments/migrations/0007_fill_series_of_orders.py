"""Orders that existed before are of the series and administrator of their case."""

from django.db import migrations
from django.db.models import OuterRef, Subquery


def fill(apps, schema_editor):
    orders = apps.get_model("payments", "PaymentOrder").objects.using(schema_editor.connection.alias)
    case = apps.get_model("cases", "CaseFile").objects.filter(pk=OuterRef("case"))
    orders.filter(series="").update(
        series=Subquery(case.values("series")[:1]), tpa=Subquery(case.values("tpa")[:1])
    )


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_hospitals_as_payees"), ("cases", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

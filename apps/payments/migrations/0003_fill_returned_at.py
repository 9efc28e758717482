"""Orders returned before the column existed take the moment from the event of their case."""

from django.db import migrations


def fill(apps, schema_editor):
    orders = apps.get_model("payments", "PaymentOrder")
    events = apps.get_model("cases", "CaseEvent")
    waiting = dict(orders.objects.filter(state="RETURNED", returned_at=None).values_list("number", "pk"))
    if not waiting:
        return
    for at, data in events.objects.filter(name="payment_returned").values_list("at", "data").iterator():
        if data.get("order") in waiting:
            orders.objects.filter(pk=waiting[data["order"]]).update(returned_at=at)


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_returned_at"), ("cases", "0001_initial")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]

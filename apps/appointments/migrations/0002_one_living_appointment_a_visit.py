from django.db import migrations, models


def hold_slots(apps, schema_editor):
    """The oldest of several that ask for the same visit holds it."""
    rows = apps.get_model("appointments", "Appointment").objects
    held = set()
    living = rows.filter(case__open=True).select_related("case").order_by("case")
    for row in living.only("benefit", "visit_on", "case__member_id", "case__hospital_id").iterator():
        slot = f"{row.case.member_id}:{row.case.hospital_id}:{row.visit_on}:{row.benefit}"
        if slot not in held:
            held.add(slot)
            rows.filter(pk=row.pk).update(slot=slot)


class Migration(migrations.Migration):

    dependencies = [
        ("appointments", "0001_appointments"),
        ("cases", "0006_ties_by_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="appointment",
            name="slot",
            field=models.CharField(max_length=80, null=True),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.UniqueConstraint(fields=("slot",), name="appointment_asked_once"),
        ),
        migrations.RunPython(hold_slots, migrations.RunPython.noop),
    ]

from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    dependencies = [("cases", "0006_ties_by_index")]

    operations = [
        migrations.AddIndex(
            model_name="casefile",
            index=models.Index(
                Coalesce("next_due", models.Case(models.When(priority=1, then="opened_at"))),
                models.F("priority"),
                models.F("id"),
                condition=models.Q(open=True),
                name="case_open_pressing",
            ),
        ),
        migrations.RemoveIndex(model_name="clock", name="clock_open_due"),
        migrations.AddIndex(
            model_name="clock",
            index=models.Index(
                condition=models.Q(("state", "STOPPED"), _negated=True),
                fields=["due_at", "-id"],
                name="clock_open_due",
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_lists_by_index")]

    operations = [
        migrations.AlterField(
            model_name="calltask",
            name="outcome",
            field=models.CharField(
                choices=[
                    ("OPEN", "to call"),
                    ("ANSWERED", "answered"),
                    ("UNANSWERED", "not answered"),
                    ("UNREACHABLE", "unreachable"),
                    ("WRONG_NUMBER", "wrong number"),
                    ("CANCELED", "no longer needed"),
                ],
                default="OPEN",
                max_length=12,
                verbose_name="outcome",
            ),
        )
    ]

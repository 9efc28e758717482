"""The one row that says which months are closed."""

from django.db import migrations


def open_book(apps, schema_editor):
    apps.get_model("finance", "Book").objects.get_or_create(pk=1)


class Migration(migrations.Migration):
    dependencies = [("finance", "0001_initial")]
    operations = [migrations.RunPython(open_book, migrations.RunPython.noop)]

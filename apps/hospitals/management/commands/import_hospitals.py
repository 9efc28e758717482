"""manage.py import_hospitals FILE [--dry-run]"""

from apps.core.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Import hospitals, campuses and direct-billing networks from an Excel workbook."
    kind = "hospitals"

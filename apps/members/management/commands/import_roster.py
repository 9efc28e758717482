"""manage.py import_roster FILE [--dry-run]"""

from apps.core.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Import the roster: insured children, guardians and policies from an Excel workbook."
    kind = "roster"

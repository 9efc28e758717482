"""Excel in: the one mechanism for rosters, hospital lists and whatever else arrives as a workbook.

`cells` reads a value, `workbook` opens a file safely, `importer` declares columns and runs, `upsert`
writes in bulk, `jobs` keeps a run's record, `tasks`/`command`/`admin` are its three doors.
"""

from apps.core.imports.importer import CHANGED, CREATED, UNCHANGED, Column, Importer, Report, Row, Sheet, run

__all__ = ["CHANGED", "CREATED", "UNCHANGED", "Column", "Importer", "Report", "Row", "Sheet", "run"]

"""Excel files for the screens of cases; made in `core.excel`, where apps below find it, too."""

from apps.core.excel import EXCEL, LIMIT, Sheets, excel_response, excel_sheets, workbook_bytes

__all__ = ["EXCEL", "LIMIT", "Sheets", "excel_response", "excel_sheets", "workbook_bytes"]

"""Cells that no spreadsheet takes for a formula, and the way back.

Excel, LibreOffice and Google Sheets run a cell that begins with one of these signs,
also behind blanks, and their full-width forms (CWE-1236).
"""

_SIGNS = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
_BLANKS = " \u00a0\u3000"


def guard(cell: str) -> str:
    """Put a quote before a cell that a spreadsheet would run; leave any other alone."""
    return f"'{cell}" if _is_risky(cell) else cell


def unguard(cell: str) -> str:
    """Take back the quote that `guard` put there."""
    return cell[1:] if cell[:1] == "'" and _is_risky(cell) else cell


def _is_risky(cell: str) -> bool:
    # Quotes count as guards themselves, so that `guard` can always be taken back.
    return cell.lstrip("'" + _BLANKS)[:1] in _SIGNS if cell else False

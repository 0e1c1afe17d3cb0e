"""Tables in Markdown files (imports the standard library)."""

import math
from pathlib import Path


def three_digits(number: float) -> str:
    """Return a number rounded to three significant digits, and written with them.

    Examples
    --------
    >>> three_digits(0.06), three_digits(20.04), three_digits(101.8)
    ('0.0600', '20.0', '102')
    """
    rounded = float(f"{number:.3g}")
    return f"{rounded:.{max(0, 2 - math.floor(math.log10(rounded)))}f}"


def replace_table(path: Path, table: str, start: str, end: str) -> None:
    """Write the table between the markers of a Markdown file, or at its end, with markers, if it has none.

    Parameters
    ----------
    path : Path
    table : str
    start, end : str
        The markers, each a line.
    """
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if start not in text:
        text = f"{text}{start}\n{end}\n"
    before, rest = text.split(start, 1)
    after = rest.split(end, 1)[1]
    path.write_text(f"{before}{start}\n{table}\n{end}{after}", encoding="utf-8")

"""Tables as CSV files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from edgebatch.errors import InputError


def csv_text(table: pd.DataFrame) -> str:
    """A table with six significant digits, so that no platform's last digit shows."""
    return str(table.to_csv(index=False, float_format="%.6g", lineterminator="\n"))


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table that was written as `csv_text`."""
    try:
        return pd.read_csv(path)
    except OSError as error:
        raise InputError("", (error.strerror or "no access").lower(), "a CSV file", str(path)) from None
    except ValueError as error:  # of pandas, and of UTF-8
        raise InputError("", str(error).splitlines()[0], "a CSV file", str(path)) from None

"""A table: for LaTeX (booktabs), in Markdown, and as data for the report; and how numbers are written."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

from edgebatch.schema import read


@dataclass(frozen=True)
class Table:
    """A table as text: a heading for each column, rows, and how columns are set.

    Attributes
    ----------
    columns
        LaTeX column types, one for each heading.
    """

    caption: str
    name: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    columns: str
    wide: bool = False

    def latex(self) -> str:
        """The table as a float; its label is ``tab:<name>``."""
        environment = "table*" if self.wide else "table"
        lines = [
            f"\\begin{{{environment}}}[!t]",
            "\\centering\\footnotesize",
            f"\\caption{{{escape(self.caption)}}}\\label{{tab:{self.name}}}",
            f"\\begin{{tabular}}{{@{{}}{self.columns}@{{}}}}",
            "\\toprule",
            " & ".join(map(escape, self.head)) + " \\\\",
            "\\midrule",
            *(" & ".join(map(escape, row)) + " \\\\" for row in self.rows),
            "\\bottomrule",
            "\\end{tabular}",
            f"\\end{{{environment}}}",
        ]
        return "\n".join(lines) + "\n"

    def to_json(self) -> str:
        """The table as data, for the report."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"

    def alignments(self) -> list[str]:
        """How each column is set, in a word."""
        words = {"l": "left", "r": "right", "c": "center", "p": "prose"}
        return [words[letter] for letter in re.sub(r"\{[^}]*\}", "", self.columns)]

    def markdown(self) -> str:
        """The table in Markdown."""
        cells = [self.head, tuple("---" for _ in self.head), *self.rows]
        return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |\n" for row in cells)


def parse_table(text: str) -> Table:
    """The table in the text of `Table.to_json`."""
    return read(Table, json.loads(text))


SPECIAL = {
    "\\": "\\textbackslash{}",
    "&": "\\&",
    "%": "\\%",
    "$": "\\$",
    "#": "\\#",
    "_": "\\_",
    "{": "\\{",
    "}": "\\}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "±": "$\\pm$",
    "≥": "$\\geq$",
    "<": "$<$",
    ">": "$>$",
    "×": "$\\times$",
}


def escape(text: str) -> str:
    """Text with LaTeX's special characters escaped, and powers of ten and minus signs set as mathematics."""
    escaped = "".join(SPECIAL.get(character, character) for character in text)
    escaped = re.sub(r"\b(\d(?:\.\d+)?)e([+-]\d+)\b", _power_of_ten, escaped)
    return re.sub(r"(?<![\w{-])-(?=\d)", "$-$", escaped)


def _power_of_ten(match: re.Match[str]) -> str:
    return f"${match[1]}\\times 10^{{{int(match[2])}}}$"


def number(value: float) -> str:
    """Three significant digits, in words of a person up to a million."""
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def plain(value: Any) -> str:
    """A configuration value for people."""
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e5:
        return f"{value:.0f}"
    if isinstance(value, float):
        return f"{value:.3g}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"
    return str(value)

"""Tables: for LaTeX (booktabs), in Markdown, and as data for the report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from edgebatch.model.llm import Llm
from edgebatch_artifact.analysis.claims import Decision
from edgebatch_artifact.settings.assumptions import Valued
from edgebatch_artifact.settings.experiment import COLUMN, ExperimentData


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


def read_table(path: Path) -> Table:
    """Read the file of a table."""
    return Table(**json.loads(path.read_text(encoding="utf-8")))


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


def of_experiment(data: ExperimentData, points: pd.DataFrame) -> Table:
    """The table of an experiment: a row for each x of each panel, a column for each line."""
    figure = data.figure
    if figure["draw"] == "claims":
        rows = [
            (row.claim, f"{row.share:.3f}", f"[{row.low:.3f}, {row.high:.3f}]", str(row.draws))
            for row in points.itertuples()
        ]
        head = ("Claim", "Share", "Interval", "Draws")
        return Table(figure["title"], data.name, head, tuple(rows), "lrcr")
    shown = points
    for key, value in (figure.get("where") or {}).items():
        shown = shown[shown[key] == value]
    x = figure["x"]["key"] if figure.get("x") else None
    downwards = [key for key in (figure.get("panels"), x) if key and key != figure.get("lines")]
    lines = figure.get("lines")
    across = [None] if COLUMN in downwards else data.values(COLUMN)
    series = [
        (value, column, data.label(lines, value) if lines else data.label(COLUMN, column))
        for value in (data.values(lines) if lines else [None])
        for column in across
        if lines is None or (shown[lines] == value).any()
    ]
    rows = []
    for values, group in shown.groupby(downwards, sort=False):
        cells = []
        for value, column, _ in series:
            match = group if column is None else group[group["column"] == column]
            match = match if lines is None else match[match[lines] == value]
            cells.append(_cell(match, interval=figure["y"].get("scale") != "log"))
        keys = zip(downwards, values, strict=True)
        rows.append((_order(data, downwards, values), (*(data.label(k, v) for k, v in keys), *cells)))
    head = (*(_heading(figure, key) for key in downwards), *(name for _, _, name in series))
    body = tuple(cells for _, cells in sorted(rows, key=lambda row: row[0]))
    told = "mean" if figure["y"].get("scale") == "log" else "mean ± half width of the interval"
    caption = f"{figure['title']}: {figure['y']['label'].lower()}, {told}. {figure.get('note', '')}".strip()
    return Table(caption, data.name, head, body, "l" * len(downwards) + "r" * len(series), len(series) > 3)


def _order(data: ExperimentData, keys: Sequence[str], values: Sequence[Any]) -> list[int]:
    return [data.values(key).index(value) for key, value in zip(keys, values, strict=True)]


def _heading(figure: dict[str, Any], key: str) -> str:
    if figure.get("x") and figure["x"]["key"] == key:
        return str(figure["x"]["label"])
    if key == COLUMN:
        return str(figure["y"]["label"])
    return key.rpartition(".")[2].replace("_", " ").capitalize()


def _cell(match: pd.DataFrame, interval: bool) -> str:
    """A mean; a lower bound where searches were cut off, since they visit at least so many nodes."""
    if match.empty:
        return "–"
    mean, half_width = float(match["mean"].iloc[0]), float(match["half_width"].iloc[0])
    bound = "≥ " if match["column"].iloc[0] == "nodes" and float(match["cut_off"].iloc[0]) > 0 else ""
    return f"{bound}{number(mean)}" + (f" ± {half_width:.2g}" if interval else "")


def number(value: float) -> str:
    """Three significant digits, in words of a person up to a million."""
    if value != 0 and not 1e-3 <= abs(value) < 1e6:
        return f"{value:.2e}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def of_models(models: Iterable[dict[str, Any]]) -> Table:
    """The shapes of all models, with the costs that follow from them at 16 bits."""
    rows = []
    for model in models:
        llm = Llm(model["layers"], model["hidden_size"], model["ffn_size"])
        weights, cache = llm.weight_bytes / 1e9, llm.kv_bytes_per_token / 1e6
        shape = (llm.layers, llm.hidden_size, llm.ffn_size)
        rows.append((model["label"], *map(str, shape), f"{weights:.1f}", f"{cache:.2f}"))
    head = ("Model", "Layers", "Width", "FFN", "Weights (GB)", "KV (MB/token)")
    rows.sort(key=lambda row: (row[0].partition("-")[0], float(row[4])))
    return Table("Model shapes, and their memory at 16 bits", "models", head, tuple(rows), "lrrrrr")


def of_quantizations(techniques: Iterable[dict[str, Any]], models: dict[str, str]) -> Table:
    """Rise of perplexity of every technique, for some models (file to name), with its data set."""
    rows = []
    for technique in techniques:
        quantized, before = technique["perplexity"], technique["fp16"]["perplexity"]
        rises = [
            f"{quantized[model] - before[model]:.2f}" if model in quantized and model in before else "–"
            for model in models
        ]
        bits = f"{technique['weight_bits']:g}/{technique['kv_bits']:g}"
        rows.append((technique["label"], bits, *rises, technique["fp16"]["dataset"]))
    head = ("Technique", "Bits", *models.values(), "Data set")
    caption = "Quantization techniques: bits of weights/KV, and rise of perplexity over FP16 by model"
    columns = "ll" + "r" * len(models) + "l"
    return Table(caption, "quantization", head, tuple(sorted(rows, key=_by_bits)), columns, wide=True)


def _by_bits(row: tuple[str, ...]) -> tuple[str, float, str]:
    return row[-1], -float(row[1].partition("/")[0]), row[0]


def of_assumptions(assumptions: list[Valued]) -> Table:
    """Every assumption: its value in the configuration that is used, its range, how sure we are."""
    rows = []
    for valued in assumptions:
        entry = valued.assumption
        drawn = entry.range or entry.choices
        span = " to ".join(map(plain, entry.range)) if entry.range else ", ".join(entry.choices or ())
        value = f"{plain(valued.value)} {entry.unit}".strip()
        rows.append((entry.meaning, value, span if drawn else "–", f"[{entry.certainty}]", entry.source))
    head = ("Assumption", "Value", "Range drawn", "Certainty", "Source")
    caption = "What the results rest on, and how sure we are of it"
    columns = "p{0.25\\linewidth}p{0.15\\linewidth}p{0.17\\linewidth}lp{0.25\\linewidth}"
    return Table(caption, "assumptions", head, tuple(rows), columns, wide=True)


def plain(value: Any) -> str:
    """A configuration value for people."""
    if isinstance(value, list):
        return ", ".join(map(plain, value))
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e5:
        return f"{value:.0f}"
    if isinstance(value, float):
        return f"{value:.3g}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"
    return str(value)


def of_claims(decisions: Sequence[Decision]) -> Table:
    """Claims, in short: what was measured and the verdict."""
    rows = tuple((d.claim.id, d.claim.says, d.measured, d.verdict) for d in decisions)
    columns = "lp{0.3\\linewidth}p{0.42\\linewidth}l"
    return Table(
        "Claims, decided", "claims", ("Id", "Claim", "Measured", "Verdict"), rows, columns, wide=True
    )

"""report.html: claims, figures, tables and assumptions on one page that needs no other file."""

from __future__ import annotations

import base64
import json
import re
import struct
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from edgebatch.errors import InputError
from edgebatch_artifact.publish.tables import read_table
from edgebatch_artifact.settings.experiment import ExperimentData, read_experiment_data

PNG = b"\x89PNG\r\n\x1a\n"
CHARTS = {"lines": "Line chart", "bars": "Bar chart", "claims": "Bar chart"}


def report_page(work: Path, figures: Path, benchmarks: Path, layout: Path, scale: str) -> str:
    """The page, from what the other steps made; the same pieces give the same bytes.

    Parameters
    ----------
    work
        Folder with experiments/ and report/.
    figures
        Folder with the picture of each experiment.
    benchmarks
        Folder with the picture of the race.
    layout
        Folder with page.html and style.css.
    scale
        Scale of the results; at any but ``full`` the page warns of its numbers.

    Raises
    ------
    InputError
        For a piece that is missing, or a picture that is none.
    """
    try:
        return _page(work, figures, benchmarks, layout, scale)
    except FileNotFoundError as error:
        raise InputError("", "no such file", "what `snakemake` makes first", error.filename) from None


def _page(work: Path, figures: Path, benchmarks: Path, layout: Path, scale: str) -> str:
    claims = json.loads((work / "report" / "claims.json").read_text(encoding="utf-8"))
    experiments = {
        path.stem: read_experiment_data(path) for path in sorted((work / "experiments").glob("*.json"))
    }
    shown_first = [name for claim in claims for name in claim["experiments"]]
    sections = [
        {
            "data": experiments[name],
            "picture": _picture(figures / f"{name}.png"),
            "alternative": _alternative(experiments[name]),
            "claims": [claim["id"] for claim in claims if name in claim["experiments"]],
        }
        for name in dict.fromkeys([*shown_first, *experiments])
    ]
    page = Environment(
        loader=FileSystemLoader(layout),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    page.filters["typeset"] = typeset
    return page.get_template("page.html").render(
        claims=claims,
        sections=sections,
        table=lambda name: read_table(work / "report" / f"{name}.json"),
        race=_picture(benchmarks / "race.png"),
        scale=scale,
    )


def _picture(path: Path) -> dict[str, Any]:
    """A PNG as part of the page: its bytes as text, and the size at which it is set."""
    content = path.read_bytes()
    if not content.startswith(PNG):
        raise InputError("", "no PNG", "a picture (delete the file to draw it again)", str(path))
    width, height = struct.unpack(">II", content[16:24])  # of the header, which comes first
    encoded = base64.b64encode(content).decode("ascii")
    # two pixels of the picture to one of the page: sharp on a dense screen
    return {"data": encoded, "width": width // 2, "height": height // 2}


def _alternative(data: ExperimentData) -> str:
    """What a figure shows, for whoever does not see it."""
    figure = data.figure
    against = f" against {figure['x']['label']}" if figure.get("x") else ""
    chart, measure = CHARTS[figure["draw"]], figure["y"]["label"]
    return f"{chart}: {measure}{against}. The numbers are in the table below it."


def typeset(text: str) -> Markup:
    """`text` as HTML: with powers of ten and minus signs, and numbers that no line break tears apart."""
    found = str(escape(text)).replace(" ± ", "\N{NBSP}±\N{NBSP}").replace(" %", "\N{NBSP}%")
    found = re.sub(r"\b(\d(?:\.\d+)?)e([+-]\d+)\b", _power_of_ten, found)
    return Markup(re.sub(r"(?<![\w-])-(?=\d)", "\N{MINUS SIGN}", found))


def _power_of_ten(match: re.Match[str]) -> str:
    exponent = f"{int(match[2])}".replace("-", "\N{MINUS SIGN}")
    return f"{match[1]}\N{NBSP}×\N{NBSP}10<sup>{exponent}</sup>"

"""report.html: claims, figures, tables and assumptions on one page that needs no other file."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from edgebatch_artifact.publish.table import Table
from edgebatch_artifact.settings.experiments.experiment import Experiment
from edgebatch_artifact.settings.experiments.figure import Figure
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_FIGURES

PNG = b"\x89PNG\r\n\x1a\n"
CHARTS = {"lines": "Line chart", "bars": "Bar chart", "claims": "Bar chart"}


def report_page(
    experiments: Mapping[str, Experiment],
    claims: Sequence[Mapping[str, Any]],
    tables: Mapping[str, Table],
    pictures: Mapping[str, bytes],
    layout: Path,
    scale: str,
) -> str:
    """The page, from what the other steps made; the same pieces give the same bytes.

    Parameters
    ----------
    claims
        Content of report/claims.json.
    tables, pictures
        Table and PNG of each experiment, the tables of the paper and of the calibration, and the pictures of
        the ``race`` and of `CALIBRATION_FIGURES`.
    layout
        Folder with page.html and style.css.
    scale
        Scale of the results; at any but ``full`` the page warns of its numbers.
    """
    first = [name for claim in claims for name in claim["experiments"] if name in experiments]
    sections = [
        {
            "experiment": experiments[name],
            "picture": _picture(pictures[name]),
            "alternative": _alternative(experiments[name].figure),
            "claims": [claim["id"] for claim in claims if name in claim["experiments"]],
        }
        for name in dict.fromkeys([*first, *experiments])
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
        tables=tables,
        race=_picture(pictures["race"]),
        measured={name: _picture(pictures[name]) for name in CALIBRATION_FIGURES},
        scale=scale,
    )


def _picture(content: bytes) -> dict[str, Any]:
    """A PNG as part of the page: its bytes as text, and the size at which it is set."""
    width, height = struct.unpack(">II", content[16:24])  # of the header, which comes first
    encoded = base64.b64encode(content).decode("ascii")
    # two pixels of the picture to one of the page: sharp on a dense screen
    return {"data": encoded, "width": width // 2, "height": height // 2}


def is_png(content: bytes) -> bool:
    """Whether bytes begin as a PNG does, header included."""
    return content.startswith(PNG) and len(content) >= 24


def _alternative(figure: Figure) -> str:
    """What a figure shows, for whoever does not see it."""
    against = f" against {figure.x.label}" if figure.x else ""
    return f"{CHARTS[figure.draw]}: {figure.y.label}{against}. The numbers are in the table below it."


def typeset(text: str) -> Markup:
    """`text` as HTML: with powers of ten and minus signs, and numbers that no line break tears apart."""
    found = str(escape(text)).replace(" ± ", "\N{NBSP}±\N{NBSP}").replace(" %", "\N{NBSP}%")
    found = re.sub(r"\b(\d(?:\.\d+)?)e([+-]\d+)\b", _power_of_ten, found)
    return Markup(re.sub(r"(?<![\w-])-(?=\d)", "\N{MINUS SIGN}", found))


def _power_of_ten(match: re.Match[str]) -> str:
    exponent = f"{int(match[2])}".replace("-", "\N{MINUS SIGN}")
    return f"{match[1]}\N{NBSP}×\N{NBSP}10<sup>{exponent}</sup>"

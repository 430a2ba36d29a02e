"""What each figure costs, as a section of costs.md: ``python benchmarks/costs_report.py`` writes it anew.

The numbers are those of benchmarks/costs.json; what has not been measured is a dash.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
BEGIN, END = "<!-- costs: begin -->", "<!-- costs: end -->"
AFTER = {
    "CLAIMS.md": "claims and assumptions: `CLAIMS.md`, `ASSUMPTIONS.md`, their tables",
    "paper/main.pdf": "the paper",
    "report.html": "the report",
    "results/notebook/explore.html": "the notebook, executed",
}


def main() -> None:
    """Write the section between its marks in benchmarks/costs.md."""
    page = ROOT / "benchmarks" / "costs.md"
    text = page.read_text(encoding="utf-8")
    section = f"{BEGIN}\n{costs_section(stored(), experiments())}{END}"
    page.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: section, text, flags=re.S), encoding="utf-8")


def stored() -> dict[str, Any]:
    """Costs as they were last measured."""
    return dict(json.loads((ROOT / "benchmarks" / "costs.json").read_text()))


def experiments() -> list[str]:
    """Names of all experiments."""
    return sorted(path.stem for path in (ROOT / "conf" / "experiment").glob("*.yaml"))


def costs_section(costs: dict[str, Any], names: list[str]) -> str:
    """The section: what a machine needs, and a row for each command."""
    whole, snakemake = costs["whole"], f"snakemake --cores {costs['cores']}"
    rows = [
        ("everything", snakemake, whole),
        *(
            (f"`{name}`", f"{snakemake} figures/{name}.pdf", costs["experiments"].get(name, {}))
            for name in names
        ),
        *((told, f"{snakemake} {file}", costs["after"].get(file, {})) for file, told in AFTER.items()),
        ("the race", "python benchmarks/race.py", costs["race"]),
    ]
    head = ("", "Command", "Settings", "CPU minutes", "Minutes", "Disk (MB)")
    lines = [head, ("---", "---", *["---:"] * 4), *(_row(*row) for row in rows)]
    return _needs(costs) + "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _needs(costs: dict[str, Any]) -> str:
    memory, environment = _number(costs["largest_job_gb"], 2), _number(costs["environment_mb"], 0)
    return (
        f"Needed: one core or more, {memory} GB of memory for each core in use, {environment} MB of disk\n"
        "for `.venv`, beside what the table says; no GPU; no network once `.venv` is set up.\n\n"
    )


def _row(told: str, command: str, cost: dict[str, Any]) -> tuple[str, ...]:
    settings = str(cost.get("settings", ""))
    cpu = _number(cost.get("cpu_minutes"), 1) if "settings" in cost else ""
    return (
        *(told, f"`{command}`", settings, cpu),
        *(_number(cost.get(key), 1) for key in ("wall_minutes", "disk_mb")),
    )


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"


if __name__ == "__main__":
    main()

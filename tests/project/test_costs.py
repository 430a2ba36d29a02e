"""What benchmarks/costs.md says is what was measured."""

from benchmarks.costs_report import BEGIN, END, costs_section, experiments, stored

from tests.workflow.checkout import ROOT

COST = {"settings": 7, "cpu_minutes": 1.25, "wall_minutes": 0.5, "disk_mb": 1234.0}
COSTS = {
    "cores": 3,
    "largest_job_gb": 0.5,
    "environment_mb": 1500.4,
    "whole": COST,
    "experiments": {"a": COST},
    "after": {"report.html": {"wall_minutes": 0.1, "disk_mb": 2.0}},
    "race": {"wall_minutes": 9.0, "disk_mb": 0.2},
}


def _row(section, start):
    (line,) = [line for line in section.splitlines() if line.startswith(f"| {start} |")]
    return line


def _page():
    text = (ROOT / "benchmarks/costs.md").read_text(encoding="utf-8")
    return text.partition(f"{BEGIN}\n")[2].partition(END)[0]


def _published():
    """Experiments whose figure is there; a new one gets its row with that."""
    return [name for name in experiments() if (ROOT / f"figures/{name}.csv").exists()]


def test_the_page_says_what_was_measured():
    assert _page() == costs_section(stored(), _published()), "run: python benchmarks/costs_report.py"


def test_every_experiment_has_a_row_on_the_page():
    assert all(_row(_page(), f"`{name}`") for name in _published())


def test_a_row_names_the_command_with_its_settings_minutes_and_disk():
    row = _row(costs_section(COSTS, ["a"]), "`a`")
    assert row == "| `a` | `snakemake --cores 3 figures/a.pdf` | 7 | 1.2 | 0.5 | 1,234.0 |"


def test_what_has_not_been_measured_is_a_dash():
    section = costs_section(COSTS, ["a", "b"])
    assert _row(section, "`b`").endswith("| – | – |")
    assert _row(section, "the paper").endswith("| – | – |")
    assert _row(section, "the report").endswith("| 0.1 | 2.0 |")

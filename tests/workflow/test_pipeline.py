"""The whole pipeline, once, at small scale and in a copy; and how it refuses what it cannot use."""

import re
import shutil
import subprocess
import sys
from itertools import pairwise

import pytest
import yaml

from edgebatch_artifact.settings.conf_folder import groups
from edgebatch_artifact.settings.experiments.experiment_file import PAPER_TABLES
from edgebatch_artifact.settings.measured.calibration import CALIBRATION_FIGURES, CALIBRATION_TABLES
from edgebatch_artifact.storage.files import sha256
from edgebatch_artifact.verify.platform_record import here, read_record
from tests.workflow import browser
from tests.workflow.checkout import ROOT, copy_checkout, example, execute, repeating, snakemake

SMOKE = ("--config", "scale=smoke")
EXTENDING = "docs/extending.md"
EXPERIMENTS = groups(ROOT / "conf")["experiment"]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory):
    """A copy in which the whole pipeline has run at smoke scale."""
    folder = copy_checkout(tmp_path_factory.mktemp("smoke") / "copy")
    snakemake(folder, *SMOKE)
    return folder


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_file_gives_a_figure_its_numbers_and_a_table(smoke, experiment):
    made = smoke / "results/smoke"
    assert (made / f"figures/{experiment}.pdf").read_bytes().startswith(b"%PDF")
    assert (made / f"figures/{experiment}.png").read_bytes().startswith(b"\x89PNG")
    assert len((made / f"figures/{experiment}.csv").read_text().splitlines()) > 1
    table = (made / f"paper/tables/{experiment}.tex").read_text()
    assert f"\\label{{tab:{experiment}}}" in table


def test_smoke_runs_leave_the_figures_of_the_paper_alone(smoke):
    assert not (smoke / "figures").exists()


def test_every_claim_is_decided(smoke):
    page = (smoke / "results/smoke/CLAIMS.md").read_text(encoding="utf-8")
    claims = yaml.safe_load((ROOT / "conf/claims.yaml").read_text())["claims"]
    verdicts = re.findall(r"^\| (\w+) .*\*\*(holds|holds in part|does not hold)\*\*", page, re.M)
    assert [claim for claim, _ in verdicts] == [claim["id"] for claim in claims]


def test_the_notebook_ran_without_an_error(smoke):
    page = (smoke / "results/smoke/notebook/explore.html").read_text(encoding="utf-8")
    assert "output_png" in page or "image/png" in page
    assert not re.search(r'class="[^"]*output_error|Traceback \(most recent', page)


def test_a_setting_simulated_twice_gives_the_same_bytes(smoke):
    runs = sorted((smoke / "results/runs").glob("*.json"))
    for run in (runs[0], runs[-1]):
        first = run.read_bytes()
        run.unlink()
        done = execute(smoke, *repeating(smoke, run))
        assert done.returncode == 0, done.stdout
        assert run.read_bytes() == first


def test_a_figure_drawn_twice_has_the_same_bytes(smoke, tmp_path):
    made, experiment = smoke / "results/smoke", "throughput_vs_latency"
    kept = {
        f"{experiment}.csv": made / "figures",
        f"{experiment}.pdf": made / "figures",
        f"{experiment}.png": made / "figures",
        f"{experiment}.tex": made / "paper/tables",
        f"{experiment}.json": made / "report",
    }
    (points,) = made.glob(f"collected/{experiment}/*/numbers.csv")
    files = (made / f"experiments/{experiment}.json", points, *(tmp_path / name for name in kept))
    done = execute(smoke, sys.executable, "-m", "edgebatch_artifact.steps", "draw", *files)
    assert done.returncode == 0, done.stdout
    for name, folder in kept.items():
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.fixture(scope="module")
def window(tmp_path_factory):
    with browser.chromium(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module", params=[browser.DESKTOP, browser.PHONE], ids=["desktop", "phone"])
def seen(request, smoke, window):
    """What a browser without a network shows of the report."""
    return browser.look(window, smoke / "results/smoke/report.html", request.param)


def test_the_report_asks_for_nothing_but_itself(smoke, seen):
    page = (smoke / "results/smoke/report.html").as_uri()
    assert [url for url in seen["asked"] if not url.startswith("data:")] == [page]
    assert seen["scripts"] == 0


def test_the_report_never_scrolls_sideways(seen):
    assert seen["scrollWidth"] == seen["width"]
    assert all(box["right"] <= seen["width"] for box in seen["boxes"])


def test_the_report_shows_every_figure_whole_and_with_an_alternative_text(seen):
    assert len(seen["images"]) == len(EXPERIMENTS) + len(["race", *CALIBRATION_FIGURES])
    for image in seen["images"]:
        assert image["natural"] > 0
        assert image["left"] >= 0
        assert 250 <= image["width"] <= seen["width"]
        assert image["right"] <= seen["width"]
        assert len(image["alt"]) > 20


def test_a_figure_that_is_enlarged_on_a_phone_scrolls_within_its_own_box(seen):
    assert len(seen["enlarged"]) == len(seen["images"])
    assert all(enlarged["page"] == seen["width"] for enlarged in seen["enlarged"])
    assert all(enlarged["image"] > 500 for enlarged in seen["enlarged"])


def test_the_report_has_the_claims_first_and_a_table_for_each_experiment(seen):
    assert seen["order"][0] == "claims"
    tables = len([*PAPER_TABLES, *CALIBRATION_TABLES, *EXPERIMENTS])
    assert seen["order"].count("claims") + seen["order"].count("table") == tables


def test_captions_of_the_report_are_large_enough_and_not_cut_off(seen):
    assert len(seen["captions"]) == len(seen["images"])
    for caption in seen["captions"]:
        assert caption["size"] >= 14
        assert not caption["hidden"], caption["text"]
        assert 0 <= caption["left"] < caption["right"] <= seen["width"]


def test_the_report_has_headings_in_order_headed_tables_and_working_links(seen):
    levels = seen["levels"]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below <= above + 1 for above, below in pairwise(levels))
    assert seen["bare"] == []
    assert seen["dead"] == []


def test_the_report_is_small_and_written_twice_has_the_same_bytes(smoke):
    report = smoke / "results/smoke/report.html"
    page = report.read_bytes()
    assert len(page) < 10e6
    report.unlink()
    arguments = ("report", "results/smoke", "results/smoke", "workflow/report", "smoke")
    done = execute(smoke, sys.executable, "-m", "edgebatch_artifact.steps", *arguments)
    assert done.returncode == 0, done.stdout
    assert report.read_bytes() == page


def test_the_figures_are_recorded_with_their_digests(smoke):
    folder = smoke / "results/smoke/figures"
    found = read_record(folder / "platform.json")
    assert found.platform == here()
    pictures = [f"{name}.{end}" for name in (*EXPERIMENTS, *CALIBRATION_FIGURES) for end in ("pdf", "png")]
    made = [*pictures, *(f"{name}.csv" for name in (*EXPERIMENTS, *CALIBRATION_TABLES))]
    assert found.sha256 == {name: sha256(folder / name) for name in made}


def test_every_table_compiles_in_latex(smoke, tmp_path):
    if shutil.which("latexmk") is None:
        pytest.skip("latexmk is not installed")
    tables = sorted((smoke / "results/smoke/paper/tables").glob("*.tex"))
    assert {table.stem for table in tables} > set(EXPERIMENTS)
    inputs = "".join(f"\\input{{{table.as_posix()}}}\n\\clearpage\n" for table in tables)
    document = (
        "\\documentclass[twocolumn]{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{booktabs}\n"
        f"\\begin{{document}}\n{inputs}\\end{{document}}\n"
    )
    (tmp_path / "tables.tex").write_text(document)
    command = ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", "tables.tex"]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]


def test_values_hold_every_name_that_the_paper_uses(smoke):
    defined = set(re.findall(r"\\defval\{([^}]*)\}", (smoke / "results/smoke/paper/values.tex").read_text()))
    used = set(re.findall(r"\\val\{([^}]*)\}", (ROOT / "paper/main.tex").read_text(encoding="utf-8")))
    assert used - {"name"} <= defined


def test_the_worked_experiment_gives_a_figure_as_it_stands(tmp_path):
    block = example(EXTENDING, "yaml", "hydra:", "figure:")
    folder = copy_checkout(tmp_path / "copy")
    for path in (folder / "conf/experiment").glob("*.yaml"):
        path.unlink()  # which only saves time
    (folder / "conf/experiment/worked_example.yaml").write_text(block, encoding="utf-8")
    figure = "results/smoke/figures/worked_example.pdf"
    snakemake(folder, figure, *SMOKE)
    assert (folder / figure).read_bytes().startswith(b"%PDF")


def test_the_worked_scheduler_simulates_as_it_stands(tmp_path):
    folder = copy_checkout(tmp_path / "copy", parts=("conf", "src"))
    code = example(EXTENDING, "python", "def schedule(")
    (folder / "src/edgebatch/schedulers/worked_example.py").write_text(code, encoding="utf-8")
    named = re.sub(r"(?m)^name:.*$", "name: worked_example", example(EXTENDING, "yaml", "name: ", "options:"))
    (folder / "conf/scheduler/worked_example.yaml").write_text(named, encoding="utf-8")
    overrides = ("scheduler=worked_example", "simulation.epochs=2", "simulation.seeds=2")
    done = execute(folder, sys.executable, "-m", "edgebatch_artifact.cli", "simulate", *overrides)
    assert done.returncode == 0, done.stdout
    assert "scheduler=worked_example" in done.stdout


def test_the_worked_device_simulates_as_it_stands(tmp_path):
    folder = copy_checkout(tmp_path / "copy", parts=("conf", "src"))
    device = example(EXTENDING, "yaml", "devices: ")
    (folder / "conf/edge_node/worked_example.yaml").write_text(device, encoding="utf-8")
    overrides = ("edge_node=worked_example", "simulation.epochs=2", "simulation.seeds=2")
    done = execute(folder, sys.executable, "-m", "edgebatch_artifact.cli", "simulate", *overrides)
    assert done.returncode == 0, done.stdout
    assert "edge_node=worked_example" in done.stdout

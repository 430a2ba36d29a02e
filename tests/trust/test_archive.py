"""The archive of a whole pipeline at small scale: valid, complete, and enough to go on from."""

import hashlib
import json
import os
import re
import shutil
import sys
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from rocrate_validator.models import Severity
from rocrate_validator.services import ValidationSettings, validate
from rocrate_validator.utils.http import HttpRequester

from edgebatch_artifact.settings.conf_folder import groups
from tests.workflow.checkout import PARTS, ROOT, copy_checkout, execute, jobs, snakemake

EXPERIMENTS = groups(ROOT / "conf")["experiment"]
DOCUMENTS = ("README.md", "LICENSE", "CITATION.cff", ".gitignore", "requirements.lock")
ZIP = "dist/edgebatch-0.1.0.zip"

SCHEMA = "http://schema.org/"
TERMS = """
about agent author citation contentSize CreateAction CreativeWork ComputerLanguage Dataset datePublished
description encodingFormat hasPart identifier instrument license mainEntity mentions name object Organization
programmingLanguage publisher result ScholarlyArticle SoftwareSourceCode url version
"""
CONTEXT = {term: SCHEMA + term for term in TERMS.split()} | {
    "File": SCHEMA + "MediaObject",
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "conformsTo": "http://purl.org/dc/terms/conformsTo",
}
"""The words of RO-Crate 1.1 that the crate uses, so that it can be validated without a network."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A checkout in which the pipeline has run, small but as if at full scale, and its archive."""
    if not (shutil.which("git") and shutil.which("latexmk")):
        pytest.skip("git or latexmk is not installed")
    folder = copy_checkout(tmp_path_factory.mktemp("made") / "copy", parts=(*PARTS, *DOCUMENTS))
    shutil.copyfile(folder / "conf/scale/smoke.yaml", folder / "conf/scale/full.yaml")
    snakemake(folder)
    assert execute(folder, "git", "init").returncode == 0
    _commit(folder)
    _archive(folder)
    return folder


def _commit(folder):
    for command in ("add .", "-c user.name=A -c user.email=a@example.org commit -m All"):
        assert execute(folder, "git", *command.split()).returncode == 0


def _archive(folder):
    done = execute(folder, sys.executable, "-m", "edgebatch_artifact.cli", "archive")
    assert done.returncode == 0, done.stdout


def _unpack(archived, folder, keep_times=True):
    """Unpack as ``unzip`` does, which keeps times, or as tools that do not."""
    with zipfile.ZipFile(archived) as opened:
        for entry in opened.infolist():
            path = Path(opened.extract(entry, folder))
            if keep_times:
                os.utime(path, (time.mktime((*entry.date_time, 0, 0, -1)),) * 2)
    return folder


@pytest.fixture(scope="module")
def unpacked(made, tmp_path_factory):
    """The archive, unpacked elsewhere."""
    return _unpack(made / ZIP, tmp_path_factory.mktemp("unpacked") / "elsewhere")


@pytest.fixture(scope="module")
def graph(unpacked):
    return json.loads((unpacked / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"]


def _sums(folder):
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return dict(line.split("  ")[::-1] for line in lines)


def _actions(graph):
    return [entity for entity in graph if entity["@type"] == "CreateAction"]


def _ids(value):
    return [entry["@id"] for entry in (value if isinstance(value, list) else [value])]


def _digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_checksum_is_right(unpacked):
    sums = _sums(unpacked)
    assert {name: _digest(unpacked / name) for name in sums} == sums


@pytest.mark.parametrize("profile", ["workflow-ro-crate-1.0", "process-run-crate-0.5"])
def test_the_crate_is_valid(made, graph, monkeypatch, profile):
    kinds = {kind for entity in graph for kind in np.atleast_1d(entity["@type"])}
    keys = {key for entity in graph for key in entity if not key.startswith("@")}
    assert kinds | keys <= CONTEXT.keys()

    class Answer:
        status_code, headers = 200, {"Content-Type": "application/ld+json"}

        def json(self):
            return {"@context": CONTEXT}

    monkeypatch.setattr(HttpRequester, "get", lambda *_, **__: Answer(), raising=False)
    asked = ValidationSettings(
        rocrate_uri=str(made / ZIP), profile_identifier=profile, requirement_severity=Severity.REQUIRED
    )
    assert [issue.message for issue in validate(asked).get_issues()] == []


@pytest.mark.parametrize("experiment", EXPERIMENTS)
@pytest.mark.parametrize("ending", ["pdf", "png", "csv"])
def test_each_figure_has_a_command_and_inputs_that_are_in_the_archive(unpacked, graph, experiment, ending):
    figure = f"figures/{experiment}.{ending}"
    (action,) = [action for action in _actions(graph) if figure in _ids(action["result"])]
    assert re.match(r"python -m edgebatch_artifact\.steps draw ", action["description"])
    assert re.match(rf"snakemake --cores 8 figures/{experiment}\.\w+$", action["name"])
    assert f"results/experiments/{experiment}.json" in _ids(action["object"])
    assert all((unpacked / name).is_file() for name in _ids(action["object"]))


def test_every_input_is_planned_or_in_git_or_the_result_of_one_action(made, graph):
    inputs = {name for action in _actions(graph) for name in _ids(action["object"])}
    results = [name for action in _actions(graph) for name in _ids(action["result"])]
    assert len(results) == len(set(results))
    tracked = execute(made, "git", "ls-files").stdout.splitlines()
    planned = {name for name in inputs if name.startswith(("results/nominal.json", "results/experiments/"))}
    assert inputs - planned <= {*results, *tracked}


def test_no_path_of_this_machine_is_in_it(made):
    with zipfile.ZipFile(made / ZIP) as archived:
        for name in archived.namelist():
            content = archived.read(name)
            for path in (made.parent, ROOT, sys.prefix, Path.home() / "."):
                assert f"{path}/".encode() not in content, name


def test_the_zip_is_the_same_in_another_folder(made, tmp_path):
    again = shutil.copytree(made, tmp_path / "another")
    (again / ZIP).unlink()
    _archive(again)
    assert (again / ZIP).read_bytes() == (made / ZIP).read_bytes()


@pytest.mark.parametrize("keep_times", [True, False])
def test_where_it_is_unpacked_nothing_is_simulated_again(made, tmp_path, keep_times):
    folder = _unpack(made / ZIP, tmp_path / "elsewhere", keep_times)
    assert "simulate" not in jobs(folder)
    shutil.rmtree(folder / "results/collected")
    shutil.rmtree(folder / "figures")
    assert jobs(folder).keys() >= {"collect", "draw"}
    assert "simulate" not in jobs(folder)


def test_figures_tables_and_claims_made_from_the_unpacked_have_the_same_bytes(made, tmp_path):
    folder = _unpack(made / ZIP, tmp_path / "elsewhere")
    sums = _sums(folder)
    kept = [name for name in sums if name.startswith(("figures/", "paper/tables/")) or name == "CLAIMS.md"]
    for name in kept:
        (folder / name).unlink()
    snakemake(folder, *kept)
    assert {name: _digest(folder / name) for name in kept} == {name: sums[name] for name in kept}


def test_a_figure_that_is_out_of_date_is_refused_by_name(made, tmp_path):
    folder = shutil.copytree(made, tmp_path / "copy")
    (folder / ZIP).unlink()
    numbers = folder / f"figures/{EXPERIMENTS[0]}.csv"
    numbers.write_text(numbers.read_text().replace("1", "2"))
    _commit(folder)
    done = execute(folder, sys.executable, "-m", "edgebatch_artifact.cli", "archive")
    assert done.returncode == 2
    assert len(done.stdout.splitlines()) == 1
    assert re.search(rf"figures/{EXPERIMENTS[0]}\.csv: found other bytes", done.stdout)
    assert not (folder / ZIP).exists()

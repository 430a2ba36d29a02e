import hashlib
import json
import os
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from edgebatch.errors import InputError
from edgebatch_artifact.archive import archive
from edgebatch_artifact.archive.crate import METADATA
from edgebatch_artifact.archive.provenance import Job
from edgebatch_artifact.cli import main
from edgebatch_artifact.verify.platform_record import record
from tests.workflow.checkout import ROOT

TRACKED = ("README.md", "LICENSE", "CITATION.cff", "Snakefile", "requirements.lock")
FIGURES = ("figures/a.csv", "figures/platform.json")
JOBS = [
    Job("draw", "draw numbers.csv a.pdf a.png", ("numbers.csv",), ("a.pdf", "a.png"), "a.pdf"),
    Job("typeset", "latexmk", ("a.pdf",), ("paper/main.pdf",), "paper/main.pdf"),
    Job("page", "artifact report", ("a.png",), ("report.html",), "report.html"),
]


def _git(*arguments):
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A checkout with the files of two jobs, as working directory."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    monkeypatch.chdir(tmp_path)
    for name in TRACKED:
        shutil.copyfile(ROOT / name, name)
    Path(".gitignore").write_text("numbers.csv\n*.p*\nreport.html\ndist/\n")
    Path("run").write_text("#!/bin/sh\n")
    Path("run").chmod(0o755)
    Path("paper").mkdir()
    Path("figures").mkdir()
    Path("figures/a.csv").write_text("1")
    record(Path("figures/platform.json"), [Path("figures/a.csv")])
    for name in ("numbers.csv", "a.pdf", "a.png", "paper/main.pdf", "report.html"):
        Path(name).write_text(name)
    _git("init")
    _git("add", ".")
    _git("commit", "--message", "All", "--date", "2026-01-01T12:00:00")
    monkeypatch.setattr(archive, "make_plan", lambda *rest: None)
    monkeypatch.setattr(archive, "recorded_jobs", lambda plan: JOBS)
    return tmp_path


def _graph(path):
    with zipfile.ZipFile(path) as archived:
        return {entity["@id"]: entity for entity in json.loads(archived.read(METADATA))["@graph"]}


def test_the_zip_has_what_git_tracks_and_what_the_jobs_read_and_wrote(project):
    Path("numbers.csv.bak.pdf").write_text("of no use")
    with zipfile.ZipFile(archive.archive(Path("dist"))) as archived:
        made = {"numbers.csv", "a.pdf", "a.png", "paper/main.pdf", "report.html"}
        described = {"ro-crate-metadata.json", "SHA256SUMS"}
        assert set(archived.namelist()) == {*TRACKED, *FIGURES, ".gitignore", "run"} | made | described


def test_every_file_but_the_checksums_has_its_checksum(project):
    with zipfile.ZipFile(archive.archive(Path("dist"))) as archived:
        sums = dict(line.split("  ")[::-1] for line in archived.read("SHA256SUMS").decode().splitlines())
        assert set(sums) == set(archived.namelist()) - {"SHA256SUMS"}
        assert all(hashlib.sha256(archived.read(name)).hexdigest() == sums[name] for name in sums)


def test_the_zip_is_the_same_twice_whenever_its_files_were_made(project):
    first = archive.archive(Path("dist")).read_bytes()
    later = time.time() + 1e5
    for path in [path for path in Path(".").rglob("*") if ".git" not in path.parts]:
        os.utime(path, (later, later))
    assert archive.archive(Path("again")).read_bytes() == first


def test_no_file_of_the_zip_comes_from_the_future_in_any_time_zone(project):
    with zipfile.ZipFile(archive.archive(Path("dist"))) as archived:
        for entry in archived.infolist():
            assert time.mktime((*entry.date_time, 0, 0, -1)) < time.time() - 12 * 3600


def test_files_that_can_be_run_stay_so(project):
    with zipfile.ZipFile(archive.archive(Path("dist"))) as archived:
        modes = {entry.filename: entry.external_attr >> 16 & 0o777 for entry in archived.infolist()}
    assert {name for name, mode in modes.items() if mode != 0o644} == {"run"}
    assert modes["run"] == 0o755


def test_the_crate_says_which_command_made_which_file_from_what(project):
    graph = _graph(archive.archive(Path("dist")))
    action = graph["#made-a.pdf"]
    assert action["description"] == "draw numbers.csv a.pdf a.png"
    assert action["name"] == "snakemake --cores 8 a.pdf"
    assert action["object"] == {"@id": "numbers.csv"}
    assert action["result"] == [{"@id": "a.pdf"}, {"@id": "a.png"}]
    assert graph[action["instrument"]["@id"]]["name"] == "draw"
    assert {entry["@id"] for entry in graph["./"]["mentions"]} == {
        "#made-a.pdf",
        "#made-paper/main.pdf",
        "#made-report.html",
    }


def test_authors_are_persons_or_organizations_as_the_citation_has_them(project):
    person = "authors:\n  - {given-names: Given, family-names: Family}"
    citation = Path("CITATION.cff").read_text(encoding="utf-8")
    Path("CITATION.cff").write_text(citation.replace("authors:", person, 1), encoding="utf-8")
    _git("commit", "--all", "--message", "A person")
    graph = _graph(archive.archive(Path("dist")))
    authors = [graph[entry["@id"]] for entry in graph["./"]["author"]]
    assert [author["@type"] for author in authors] == ["Person", "Organization"]
    assert authors[0]["name"] == "Given Family"


def _remove(name):
    Path(name).unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda: Path("README.md").write_text("other"), "README.md: found a change, expected"),
        (lambda: Path("new.txt").write_text("new"), "new.txt: found a change, expected"),
        (lambda: _remove("paper/main.pdf"), "paper/main.pdf: found no file"),
        (lambda: _remove("report.html"), "report.html: found no file"),
        (lambda: shutil.rmtree(".git"), "git: found not a git repository"),
    ],
)
def test_what_is_missing_or_changed_is_refused_in_one_line_and_nothing_is_written(
    project, capsys, monkeypatch, spoil, told
):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(project.parent))
    spoil()
    assert main(["archive"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1
    assert not Path("dist").exists()


def test_a_citation_without_a_key_that_the_crate_needs_is_refused_by_name(project):
    citation = Path("CITATION.cff").read_text(encoding="utf-8")
    Path("CITATION.cff").write_text(citation.replace("license:", "licence:"), encoding="utf-8")
    _git("commit", "--all", "--message", "Misspelt")
    with pytest.raises(InputError, match=r"CITATION\.cff: license: found no such key"):
        archive.archive(Path("dist"))


def test_without_a_pdf_of_the_paper_there_is_no_archive(project, monkeypatch):
    monkeypatch.setattr(archive, "recorded_jobs", lambda plan: JOBS[:1])
    with pytest.raises(InputError, match=r"paper/main\.pdf: found no rule"):
        archive.archive(Path("dist"))

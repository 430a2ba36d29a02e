"""The RO-Crate of an archive: what it is, and which command made which of its files from what.

It follows RO-Crate 1.1 with the profiles Workflow RO-Crate and Process Run Crate: an action for each job,
with its rule as instrument. Times of jobs are left out, so that the same files give the same crate.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date
from mimetypes import MimeTypes
from pathlib import PurePath
from typing import Any

from rocrate.model import ContextEntity, Entity, File
from rocrate.rocrate import ROCrate

from edgebatch_artifact.archive.provenance import Job

METADATA = "ro-crate-metadata.json"
CITED = ("title", "abstract", "version", "license", "authors", "preferred-citation")
"""Keys of CITATION.cff that say what the whole is."""

PROCESS_RUN_CRATE = "https://w3id.org/ro/wfrun/process/0.5"
BIOSCHEMAS_WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE/"
ENCODINGS = {".cff": "application/yaml", ".md": "text/markdown", ".yaml": "application/yaml"}
"""Formats that Python has no name for."""

COMMAND = "snakemake --cores 8"


def describe(
    citation: Mapping[str, Any], published: date, jobs: Iterable[Job], files: Mapping[str, int]
) -> str:
    """Text of ro-crate-metadata.json.

    Parameters
    ----------
    citation
        Content of CITATION.cff, with the keys `CITED`.
    published
        Day of the commit that is archived.
    jobs
        What made the files; the outputs of one are no other's.
    files
        Size in bytes of the files that are listed, by name; among them all that the jobs read or wrote.
    """
    crate = ROCrate(version="1.1")
    authors = _describe_root(crate, citation, published)
    workflow = crate.add_workflow(dest_path="Snakefile", main=True, lang="snakemake")
    workflow["version"] = citation["version"]
    workflow["encodingFormat"] = "text/plain"
    workflow["conformsTo"] = {"@id": BIOSCHEMAS_WORKFLOW}
    listed = {name: _file(crate, name, size) for name, size in sorted(files.items()) if name != "Snakefile"}
    listed["Snakefile"] = workflow
    listed["README.md"]["about"] = crate.root_dataset
    _add_actions(crate, jobs, listed, authors)
    return json.dumps(crate.metadata.generate(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _entity(crate: ROCrate, id_: str, **properties: Any) -> Entity:
    kind = properties.pop("type")
    return crate.add(ContextEntity(crate, id_, {"@type": kind, **properties}))


def _one_or_all(values: list[Entity]) -> Entity | list[Entity]:
    """Values as JSON-LD has them: one stands alone, not in a list."""
    return values[0] if len(values) == 1 else values


def _describe_root(crate: ROCrate, citation: Mapping[str, Any], published: date) -> list[Entity]:
    """Say what the whole is; returns its authors."""
    authors = [_author(crate, f"#author-{i}", author) for i, author in enumerate(citation["authors"], 1)]
    paper = citation["preferred-citation"]
    number = paper["identifiers"][0]["value"].partition(":")[2]
    licence = citation["license"]
    crate.name, crate.description = citation["title"], citation["abstract"]
    crate.datePublished = published.isoformat()
    crate.license = _entity(
        crate, f"https://spdx.org/licenses/{licence}", type="CreativeWork", name=f"{licence} license"
    )
    root = crate.root_dataset
    root["author"] = root["publisher"] = _one_or_all(authors)
    root["version"] = citation["version"]
    root["citation"] = _entity(
        crate, f"https://arxiv.org/abs/{number}", type="ScholarlyArticle", name=paper["title"]
    )
    root["conformsTo"] = _entity(
        crate, PROCESS_RUN_CRATE, type="CreativeWork", name="Process Run Crate", version="0.5"
    )
    return authors


def _author(crate: ROCrate, id_: str, author: Mapping[str, str]) -> Entity:
    """A person or, if it has one name, an organization, as CITATION.cff tells them apart."""
    if "name" in author:
        return _entity(crate, id_, type="Organization", name=author["name"])
    return _entity(crate, id_, type="Person", name=f"{author['given-names']} {author['family-names']}")


def _file(crate: ROCrate, name: str, size: int) -> Entity:
    # an instance of MimeTypes does not ask what is installed
    kind = ENCODINGS.get(PurePath(name).suffix) or MimeTypes().guess_type(name)[0] or "text/plain"
    properties = {"name": name, "contentSize": str(size), "encodingFormat": kind}
    return crate.add(File(crate, dest_path=name, properties=properties))


def _add_actions(
    crate: ROCrate, jobs: Iterable[Job], listed: Mapping[str, Entity], authors: list[Entity]
) -> None:
    """An action for each job, and its rule as a part of the workflow."""
    workflow, root = crate.mainEntity, crate.root_dataset
    rules: dict[str, Entity] = {}
    actions = []
    for job in jobs:
        if job.rule not in rules:
            rules[job.rule] = _entity(
                crate,
                f"#rule-{job.rule}",
                type="SoftwareSourceCode",
                name=job.rule,
                version=workflow["version"],
                programmingLanguage=workflow["programmingLanguage"],
            )
        actions.append(
            _entity(
                crate,
                f"#made-{job.outputs[0]}",
                type="CreateAction",
                name=f"{COMMAND} {job.target}",
                description=job.command,
                instrument=rules[job.rule],
                agent=_one_or_all(authors),
                object=_one_or_all([listed[name] for name in job.inputs]),
                result=_one_or_all([listed[name] for name in job.outputs]),
            )
        )
    workflow["hasPart"], root["mentions"] = list(rules.values()), actions

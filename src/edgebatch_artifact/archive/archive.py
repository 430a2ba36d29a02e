"""One zip of everything: sources, results, figures, paper, report, checksums, and where each file came from.

The same commit and results give the same bytes. What is not up to date is not archived.
"""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from edgebatch.errors import InputError
from edgebatch_artifact.archive.crate import CITED, METADATA, describe
from edgebatch_artifact.archive.provenance import recorded_jobs
from edgebatch_artifact.runs.plan import Options, make_plan
from edgebatch_artifact.storage.files import replace, sha256
from edgebatch_artifact.storage.yaml_file import read_yaml
from edgebatch_artifact.verify.platform_record import read_record

PAPER, CHECKSUMS = "paper/main.pdf", "SHA256SUMS"
DESCRIBED = ("README.md", "LICENSE", "CITATION.cff", "Snakefile", "requirements.lock")
"""Files that the crate lists besides those of the jobs."""


def archive(folder: Path) -> Path:
    """Write the archive of the working directory into `folder`; returns its path.

    Raises an `InputError` if the working directory is no clean git checkout, or a file is missing or not up
    to date.
    """
    tracked = _tracked()
    _check_figures(Path("figures"))
    jobs = recorded_jobs(make_plan(Path("conf"), Path("results"), Options()))
    made = {name for job in jobs for name in (*job.inputs, *job.outputs)}
    if PAPER not in made:
        raise InputError(PAPER, "no rule that makes it", "one: install latexmk, then run make reproduce")
    names = sorted({*tracked, *made})
    for name in names:
        if not Path(name).is_file():
            raise InputError(name, "no file", "what make reproduce makes, or git restore brings back")
    citation = _read_citation(Path("CITATION.cff"))
    committed = datetime.fromtimestamp(int(_git("log", "-1", "--format=%ct")), UTC)
    sizes = {name: Path(name).stat().st_size for name in sorted({*made, *DESCRIBED})}
    texts = {METADATA: describe(citation, committed.date(), jobs, sizes)}
    texts[CHECKSUMS] = _checksums(names, texts)
    path = folder / f"edgebatch-{citation['version']}.zip"
    replace(path, lambda temporary: _write_zip(temporary, names, texts, committed))
    return path


def _check_figures(folder: Path) -> None:
    """Refuse a figure that is not the one whose digest was recorded when it was drawn."""
    for name, digest in read_record(folder / "platform.json").sha256.items():
        if not (folder / name).is_file() or sha256(folder / name) != digest:
            expected = f"the file that {folder}/platform.json records: run make reproduce"
            raise InputError(str(folder / name), "other bytes", expected)


def _git(*arguments: str) -> str:
    """What git says, whatever a user's configuration adds to it."""
    plain = ("-c", "core.quotePath=false", "-c", "log.showSignature=false", "-c", "color.ui=never")
    try:
        done = subprocess.run(["git", *plain, *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InputError("git", "no such program", "git on the PATH", "archive") from None
    if done.returncode:
        # the first line says what is wrong, later ones what one may type
        said = (done.stderr.strip().splitlines() or ["an error"])[0].removeprefix("fatal: ")
        raise InputError("git", said, "a git checkout that git trusts", "archive")
    return done.stdout


def _tracked() -> list[str]:
    """The files that git tracks, all as they are in its last commit."""
    changed = _git("status", "--porcelain", "--untracked-files=normal").splitlines()
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        raise InputError(
            changed[0][3:], f"a change{more}", "a commit: what is archived has one", "git status"
        )
    return _git("ls-files", "-z").split("\0")[:-1]


def _read_citation(path: Path) -> dict[str, Any]:
    citation = read_yaml(path, path.name)
    for key in CITED:
        if key not in citation:
            raise InputError(key, "no such key", "one", path.name)
    return citation


def _checksums(names: Sequence[str], texts: dict[str, str]) -> str:
    """Checksums of files and texts, as ``sha256sum --check`` reads them."""
    digests = {name: sha256(Path(name)) for name in names}
    digests |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    return "".join(f"{digest}  {name}\n" for name, digest in sorted(digests.items()))


def _write_zip(path: Path, names: Sequence[str], texts: dict[str, str], committed: datetime) -> None:
    # a zip knows no time zone; a file from the future would be newer than all that is made from it
    past = (committed - timedelta(days=1)).timetuple()[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archived:
        for name in sorted([*names, *texts]):
            entry = zipfile.ZipInfo(name, past)
            entry.compress_type = zipfile.ZIP_DEFLATED
            runnable = name not in texts and Path(name).stat().st_mode & 0o100
            entry.external_attr = (0o100755 if runnable else 0o100644) << 16
            archived.writestr(entry, texts[name] if name in texts else Path(name).read_bytes())

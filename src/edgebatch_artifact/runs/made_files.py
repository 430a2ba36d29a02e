"""What a run made, by digest: a file that was edited or cut short since is made again."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

from edgebatch_artifact.storage.digest import sha256
from edgebatch_artifact.storage.files import write
from edgebatch_artifact.storage.sealed import read_sealed, seal


def remember(files: Iterable[str], ledger: Path) -> None:
    """Store the digest of each of `files` that is there."""
    digests = {file: _digest(Path(file)) for file in sorted(files)}
    write(ledger, seal({"digests": {file: found for file, found in digests.items() if found}}, ledger.stem))


def changed(files: Iterable[str], ledger: Path) -> list[str]:
    """Those of `files` that are there, but not as the last run that ended left them."""
    stored = read_sealed(ledger)
    digests = stored["digests"] if stored else {}
    return [file for file in files if file in digests and _digest(Path(file)) not in ("", digests[file])]


def make_again(files: Iterable[str]) -> None:
    """Let Snakemake make files again once they are asked for, as if it had been stopped at them."""
    # the rest of this module needs no Snakemake
    from snakemake.io import IOFile
    from snakemake.persistence.file import FilePersistence

    FilePersistence().started(SimpleNamespace(output=[IOFile(file) for file in files]))


def _digest(path: Path) -> str:
    """Digest of a file's bytes; empty if there is none."""
    try:
        return sha256(path)
    except OSError:
        return ""

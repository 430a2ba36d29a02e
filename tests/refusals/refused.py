"""What every refusal has to be: one line, a status, and nothing written."""

import re
from pathlib import Path


def contents(folder: Path) -> dict[str, bytes | str]:
    """Everything below a folder: bytes of files, targets of links, names of folders."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}"
        if path.is_symlink()
        else path.read_bytes()
        if path.is_file()
        else "folder"
        for path in folder.rglob("*")
        if not {"__pycache__", ".snakemake"} & set(path.parts)
    }


def refusal(capsys, folder: Path, run) -> str:
    """The line with which `run` refuses, having written nothing below `folder` and ended with status 2."""
    before = contents(folder)
    try:
        status = run()
    except SystemExit as ended:
        status = ended.code
    streams = capsys.readouterr()
    assert status == 2, streams
    assert streams.out == ""
    assert streams.err.endswith("\n")
    assert contents(folder) == before
    return one_line(streams.err)


def one_line(text: str) -> str:
    assert "Traceback" not in text
    assert len(text.splitlines()) == 1, text
    return text.rstrip("\n")


def says(line: str, answer: str) -> bool:
    """Whether a line is the answer of a table, in which ... stands for anything."""
    return re.fullmatch(re.escape(answer).replace(r"\.\.\.", ".*"), line) is not None

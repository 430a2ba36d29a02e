"""Which code a result came from: a digest of the modules that a module imports, and of itself.

Comments, docstrings and layout are left out, so that only an edit that can change a result changes
the fingerprint. The import closure is read from the source; a scheduler, which the registry imports
by name, is named as a module of its own.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
from functools import cache
from pathlib import Path

PACKAGES = ("edgebatch", "edgebatch_artifact")


def fingerprint(*modules: str) -> str:
    """Twelve hexadecimal digits for the code of `modules` and everything of ours they import."""
    digest = hashlib.sha256()
    for module in sorted(imported_modules(*modules)):
        digest.update(f"{module}\n{_code(_source(module))[0]}\n".encode())
    return digest.hexdigest()[:12]


def imported_modules(*modules: str) -> set[str]:
    """`modules` and everything of ours that they import, directly or not."""
    closure: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in closure:
            closure.add(module)
            waiting.extend(_code(_source(module))[1])
    return closure


@cache
def _root(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).parent


def _source(module: str) -> Path:
    package, *parts = module.split(".")
    path = _root(package).joinpath(*parts)
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def _code(source: Path) -> tuple[str, tuple[str, ...]]:
    """The code of a file without its docstrings, and the modules of ours that it imports."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imports: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            imports.add(node.module)
            imports.update(f"{node.module}.{alias.name}" for alias in node.names)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    ours = {name for name in imports if name.split(".")[0] in PACKAGES and _source(name).exists()}
    parents = {name.rpartition(".")[0] for name in ours if "." in name}
    return ast.unparse(tree), tuple(sorted(ours | parents))

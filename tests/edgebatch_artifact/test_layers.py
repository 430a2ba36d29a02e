"""Which module may import which: rooms stand in an order, and look down only."""

import ast
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.workflow.checkout import ROOT

ROOMS = (
    {"storage"},
    {"settings"},
    {"engine", "compression"},
    {"runs", "calibration"},
    {"analysis"},
    {"publish"},
    {"verify"},
    {"archive"},
    {"steps", "cli"},
)
"""Of edgebatch_artifact, from the lowest; those in one place do not see each other."""

SHELVES = (
    {"errors"},
    {"schema", "registry"},
    {"model"},
    {"calibration"},
    {"problem"},
    {"checker"},
    {"hindsight", "service"},
    {"search"},
    {"schedulers"},
    {"serving"},
    {"simulation", "engine"},
    {"compression"},
    {"epoch_service"},
    {"network"},
    {"setting"},
    {"metrics"},
    {"io"},
)
"""Of edgebatch. Its front page shows what people use, and may import anything but files and command lines."""

LAYERS = {"edgebatch": SHELVES, "edgebatch_artifact": ROOMS}


def _modules():
    """Every module of ours by its dotted name, with its source."""
    paths = [path for package in LAYERS for path in (ROOT / "src" / package).rglob("*.py")]
    names = {path: ".".join(path.relative_to(ROOT / "src").with_suffix("").parts) for path in paths}
    return {name.removesuffix(".__init__"): path for path, name in names.items()}


MODULES = _modules()


def _imports(name):
    """The modules of ours that a module imports, at its head or in a function."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: a relative import"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            # `from package import module` is an import of the module
            found |= submodules & MODULES.keys() or {node.module}
    return {module for module in found if module.partition(".")[0] in LAYERS}


def _place(name):
    """A module's package and its layer there; None for what stands at the front of the package."""
    package, _, rest = name.partition(".")
    room = rest.partition(".")[0]
    return package, next((i for i, rooms in enumerate(LAYERS[package]) if room in rooms), None)


def _room(name):
    return name.split(".")[:2]


def test_every_module_has_a_place_but_the_fronts_of_the_packages():
    without = {name for name in MODULES if _place(name)[1] is None}
    # warming up is done by hand, with what the front page shows
    assert without == {"edgebatch", "edgebatch.__main__", "edgebatch.warm_up", "edgebatch_artifact"}


def test_the_library_imports_nothing_of_the_artifact():
    library = [name for name in MODULES if name.partition(".")[0] == "edgebatch"]
    assert len(library) > 30
    assert [n for n in library if any(m.startswith("edgebatch_artifact") for m in _imports(n))] == []


@pytest.mark.parametrize("package", LAYERS)
def test_a_module_imports_only_its_own_room_or_lower_ones(package):
    upwards = []
    for name in MODULES:
        home, layer = _place(name)
        if home != package or layer is None:
            continue
        for module in _imports(name):
            other, below = _place(module)
            if other == package and below is not None and _room(module) != _room(name) and below >= layer:
                upwards.append(f"{name} imports {module}")
    assert upwards == []


def test_only_the_command_line_imports_the_front_page_of_the_library():
    importing = {name for name in MODULES if "edgebatch" in _imports(name)}
    assert importing <= {"edgebatch.io.cli", "edgebatch.warm_up"}


def test_the_front_page_imports_no_files_and_no_command_line():
    assert not [module for module in _imports("edgebatch") if module.startswith("edgebatch.io")]


def test_the_checker_shares_no_code_with_searches_or_schedulers():
    below, waiting = set(), ["edgebatch.checker"]
    while waiting:
        name = waiting.pop()
        if name not in below:
            below.add(name)
            waiting += _imports(name)
    assert {name for name in below if name.startswith(("edgebatch.search", "edgebatch.schedulers"))} == set()


@pytest.mark.parametrize("room", sorted({tuple(_room(name)) for name in MODULES if name.count(".") > 1}))
def test_no_imports_within_a_room_go_in_circles(room):
    inside = {name: {m for m in _imports(name) if _room(m) == list(room)} for name in MODULES}
    graph = {name: modules for name, modules in inside.items() if _room(name) == list(room)}
    assert len(graph) > 1
    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        order = error.args[1]
    assert sorted(order) == sorted(graph)

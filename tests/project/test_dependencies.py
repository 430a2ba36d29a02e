"""pyproject.toml, environment.yml and requirements.lock name the same dependencies."""

import re
import tomllib

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

from tests.workflow.checkout import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OF_THEIR_OWN = {name: f"requirements-{name}.lock" for name in ("engine", "compression")}
"""Heavy extras, and their locks: whoever does not ask for them installs nothing of them."""
NAMED = [
    Requirement(text)
    for text in [
        *PROJECT["dependencies"],
        *(text for name, extra in EXTRAS.items() if name not in OF_THEIR_OWN for text in extra),
    ]
]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
CONDA_NAMES = {"matplotlib": "matplotlib-base"}
ONLY_ON_PYPI = {"ortools", "roc-validator"}


def _pins(lock=LOCK):
    """Each pin of a lock, with the lines below it."""
    blocks = re.findall(r"^([a-z0-9][^\n\\]*?) *\\?\n((?:    .*\n?)*)", lock, re.M)
    return [(Requirement(pin), below) for pin, below in blocks]


PINS = _pins()


def _conda():
    """What environment.yml asks of conda, and what of pip."""
    entries = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    (of_pip,) = [entry["pip"] for entry in entries if isinstance(entry, dict)]
    return ({r.name: r for r in map(Requirement, names)} for names in (filter(_is_text, entries), of_pip))


def _is_text(entry):
    return isinstance(entry, str)


def test_conda_has_every_dependency_and_extra_with_the_same_bound_and_no_other():
    conda, of_pip = _conda()
    of_conda = [r for r in NAMED if r.name not in ONLY_ON_PYPI]
    expected = {CONDA_NAMES.get(r.name, r.name): r.specifier for r in of_conda}
    expected["python"] = Requirement(f"python{PROJECT['requires-python']}").specifier
    assert {name: r.specifier for name, r in conda.items()} == expected
    assert {r.name: r.specifier for r in of_pip.values()} == {
        r.name: r.specifier for r in NAMED if r.name in ONLY_ON_PYPI
    }


@pytest.mark.parametrize("named", NAMED, ids=str)
def test_the_lock_pins_every_dependency_and_extra_within_its_bound(named):
    pins = [pin for pin, _ in PINS if pin.name == named.name]
    assert pins
    for pin in pins:
        (exact,) = pin.specifier
        assert exact.operator == "=="
        assert Version(exact.version) in named.specifier


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0", "3.14.0"])
@pytest.mark.parametrize("system", ["linux", "darwin"])
def test_no_package_is_pinned_twice_for_one_python_on_one_system(python, system):
    known = {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[system],
        "os_name": "posix",
    }
    names = [pin.name for pin, _ in PINS if pin.marker is None or pin.marker.evaluate(known)]
    assert len(names) == len(set(names)) > len(NAMED)


def test_every_pin_of_the_lock_has_its_hashes():
    assert len(PINS) == len(re.findall(r"^\S*==", LOCK, re.M)) > len(NAMED)
    for pin, below in PINS:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", below), pin


@pytest.mark.parametrize(("extra", "lock"), OF_THEIR_OWN.items())
def test_a_heavy_extra_has_a_lock_of_its_own_that_changes_no_other_pin(extra, lock):
    text = (ROOT / lock).read_text(encoding="utf-8")
    pins = _pins(text)
    own = {Requirement(named).name for named in EXTRAS[extra]}
    assert own <= {pin.name for pin, _ in pins}
    assert {str(pin) for pin, _ in pins if pin.name not in own} <= {str(pin) for pin, _ in PINS}
    assert all("--hash=sha256:" in below for _, below in pins)
    assert "://" not in text


def test_the_lock_has_no_address():
    assert "://" not in LOCK
    options = {line.split()[0] for line in LOCK.splitlines() if line.startswith("-")}
    assert options == set(), "a line that is neither a pin, its hash nor a comment"


def test_contributing_says_how_the_lock_is_made_with_all_extras():
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    command = re.findall(r"uv pip compile(?:.*\\\n)*.*requirements\.lock", text)[0]
    oldest = PROJECT["requires-python"].removeprefix(">=")
    extras = [f"--extra {name}" for name in EXTRAS if name not in OF_THEIR_OWN]
    options = (*extras, "--universal", f"--python-version {oldest}", "--generate-hashes")
    assert all(option in command for option in options)


def test_citation_and_package_have_the_same_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert str(citation["version"]) == PROJECT["version"]

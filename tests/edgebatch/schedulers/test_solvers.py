"""The schedulers that hand the problem to a solver: what they claim, what they refuse, what they import."""

import subprocess
import sys

import numpy as np
import pytest

from edgebatch import InputError, check, solve
from edgebatch.schedulers import _scaled, milp
from tests.edgebatch.instances import BILLINGS, KINDS, of_today, random_instance, sample, unit_instance
from tests.edgebatch.oracle import optimum, sample_with_optima

SOLVERS = (("milp", {"deadlines": "thresholds"}), ("milp", {"deadlines": "big_m"}), ("cp_sat", {}))

each_solver = pytest.mark.parametrize(("name", "options"), SOLVERS, ids=str)


@each_solver
def test_rounding_decides_nothing_however_coarse_it_is(name, options, monkeypatch):
    monkeypatch.setattr(_scaled, "PARTS", 2**7)
    monkeypatch.setattr(milp, "UNIT", 1)
    refused, no_cheaper = [], _scaled._no_cheaper
    monkeypatch.setattr(_scaled, "_no_cheaper", lambda *batch: refused.append(batch) or no_cheaper(*batch))
    for instance, best in sample_with_optima(48):
        schedule = solve(instance, name, **options)
        check(instance, schedule)
        assert (schedule.size, schedule.upper_bound) == (best, best)
    assert len(refused) > 5


@each_solver
def test_the_models_alone_hold_every_constraint(name, options, monkeypatch):
    refused, no_cheaper = [], _scaled._no_cheaper
    monkeypatch.setattr(_scaled, "_no_cheaper", lambda *batch: refused.append(batch) or no_cheaper(*batch))
    for instance in sample(96):
        solve(instance, name, **options)
    assert refused == [], "the solver was free to choose these"


@each_solver
def test_requests_that_are_all_alike_and_a_hair_above_a_budget_need_no_search(name, options):
    # 20 of 40 together are above the tolerance by less than the rounding: some 10^11 such batches
    share = (1 + 1e-9 + 2e-11) / 20
    schedule = solve(unit_instance([1] * 40, uplink=share, slack_s=100.0), name, **options)
    assert (schedule.size, schedule.upper_bound) == (19, 19)


@each_solver
def test_a_solve_without_time_claims_no_optimum_that_is_none(name, options):
    open_ones = 0
    for instance, best in sample_with_optima(48):
        schedule = solve(instance, name, **options, time_limit_s=1e-9)
        check(instance, schedule)
        assert schedule.size <= best <= schedule.upper_bound
        open_ones += not schedule.optimal
    assert open_ones > 0


@each_solver
def test_enough_time_changes_nothing(name, options):
    for instance in sample(12):
        assert solve(instance, name, **options, time_limit_s=60.0) == solve(instance, name, **options)


@each_solver
def test_a_model_with_experts_is_refused_in_one_line(name, options):
    plain = random_instance(np.random.default_rng(0), 6, **KINDS[0])
    instance = of_today(plain, np.random.default_rng(0), "experts", "own")
    with pytest.raises(InputError, match=r"^llm.experts: found 8, expected 1: .*convex.*$"):
        solve(instance, name, **options)


@each_solver
@pytest.mark.parametrize("billing", BILLINGS)
def test_memory_traffic_is_priced_exactly(name, options, billing):
    sizes = set()
    for seed, kind in enumerate(KINDS[::4]):
        rng = np.random.default_rng(seed)
        instance = of_today(random_instance(rng, 8, **kind), rng, "grouped", billing)
        schedule = solve(instance, name, **options)
        assert schedule.optimal
        assert schedule.size == optimum(instance)
        sizes.add(schedule.size)
    assert len(sizes) > 2


@pytest.mark.parametrize("deadlines", ["thresholds", "big_m"])
def test_a_failure_inside_highs_leaves_the_answer_unproven(deadlines, monkeypatch):
    def failing(*_, **__):
        raise ValueError("vector::reserve")

    instance = unit_instance([1] * 4, uplink=[0.6, 0.2, 0.4, 0.4])
    assert solve(instance, "milp", deadlines=deadlines).size == 3
    monkeypatch.setattr(milp, "milp", failing)
    schedule = solve(instance, "milp", deadlines=deadlines)
    check(instance, schedule)
    assert (schedule.size, schedule.upper_bound) == (2, 3)


def test_loads_of_a_billionth_end_in_no_traceback():
    # presolve of HiGHS 1.12 raises "vector::reserve" on this program
    shares = np.array([1e-10, 1.000000001, 1.000000001, 1e-10, 1.000000001, 1e-10])
    other = [1e-06, 0.5, 1e-09, 1e-06, 0.5, 1e-09]
    slack_s = [1.0, 1.0, 2.0, 2.0, 10.0, 2.0]
    instance = unit_instance([1] * 6, uplink=shares, downlink=other, slack_s=slack_s, flops=1e3, padding=4)
    for deadlines in ("thresholds", "big_m"):
        schedule = solve(instance, "milp", deadlines=deadlines)
        check(instance, schedule)
        assert schedule.size <= solve(instance).size <= schedule.upper_bound


def test_an_unknown_treatment_of_deadlines_is_refused_with_the_nearest_name():
    with pytest.raises(InputError, match=r"^deadlines: found 'big_n', .*mean big_m\?"):
        solve(unit_instance([1]), "milp", deadlines="big_n")


def test_without_or_tools_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ortools", None)
    monkeypatch.delitem(sys.modules, "ortools.sat.python.cp_model", raising=False)
    with pytest.raises(
        InputError, match=r"^scheduler: found 'cp_sat' without OR-Tools, .*edgebatch\[cp_sat\]"
    ):
        solve(unit_instance([1]), "cp_sat")


def test_or_tools_are_imported_by_no_one_who_does_not_solve_with_them():
    code = (
        "import sys; from edgebatch import schedulers; schedulers.names()\n"
        "assert not {'scipy', 'ortools'} & set(sys.modules)\n"
        "schedulers.options('cp_sat'); assert 'ortools' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import edgebatch
from edgebatch import Quantization
from edgebatch.search.tree.cost import batch_cost
from edgebatch.search.tree.price import compute_time_s, memory_bytes
from tests.edgebatch.instances import steady, unit_instance

LENGTHS = np.array([1, 2])
counts_of_two_lengths = st.tuples(st.integers(0, 50), st.integers(0, 50)).map(np.array)


def _cost(padded, **quantization):
    full = {"weight_bits": 16, "kv_bits": 16, "compute_factor": 1.0, "accuracy": 1.0}
    system = unit_instance([1], quantization=Quantization(**full | quantization)).system
    return batch_cost(system, padded, LENGTHS)


def test_memory_of_a_batch_by_hand():
    # 12 of weights, 3 requests of 4 (2 + 1) and 2 of 4 (2 + 2): 12 + 36 + 32
    assert memory_bytes(_cost(2), np.array([3, 2])) == 80


def test_memory_of_a_quantized_batch_by_hand():
    # 12 / 4 + (36 + 32) / 2
    assert memory_bytes(_cost(2, weight_bits=4, kv_bits=8), np.array([3, 2])) == 37


def test_compute_time_of_a_batch_by_hand():
    # 3 requests of 40 and 2 of 64 FLOPs at 16 FLOPS: 248 / 16
    assert compute_time_s(_cost(2), np.array([3, 2])) == 15.5


def test_compute_time_of_a_quantized_batch_by_hand():
    assert compute_time_s(_cost(2, compute_factor=0.5), np.array([3, 2])) == 7.75


@steady
@given(counts_of_two_lengths, st.integers(0, 1))
def test_one_more_request_never_costs_less(counts, length):
    more = counts + np.eye(2, dtype=int)[length]
    assert memory_bytes(_cost(3), more) > memory_bytes(_cost(3), counts)
    assert compute_time_s(_cost(3), more) > compute_time_s(_cost(3), counts)


@steady
@given(counts_of_two_lengths.filter(lambda counts: counts[0] > 0))
def test_a_longer_output_in_place_of_a_shorter_one_never_costs_less(counts):
    longer = counts + np.array([-1, 1])
    assert memory_bytes(_cost(3), longer) > memory_bytes(_cost(3), counts)
    assert compute_time_s(_cost(3), longer) > compute_time_s(_cost(3), counts)


LARGEST = """
from edgebatch.schedulers.dftsp import forests
from tests.edgebatch.instances import unit_instance
print(forests(unit_instance([1] * 5, compute_s=3.0), bounded=True)[0].size_bound)
"""
FREE = """

@compiled()
def compute_time_s(cost, counts):
    return 0.0
"""


def _largest_batch(source):
    paths = {"PYTHONPATH": f"{source}{os.pathsep}{Path(__file__).parents[4]}"}
    environment = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"} | paths
    done = subprocess.run(
        [sys.executable, "-c", LARGEST], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_an_edit_of_the_cost_model_reaches_the_compiled_search(tmp_path):
    # compiled code is cached from run to run: it must not outlive what it was compiled from
    package = shutil.copytree(Path(edgebatch.__file__).parent, tmp_path / "edgebatch")
    for folder in (package / "search").rglob("__pycache__"):
        shutil.rmtree(folder)
    assert _largest_batch(tmp_path) == 3
    with (package / "search/tree/price.py").open("a") as cost:
        cost.write(FREE)
    assert _largest_batch(tmp_path) == 5

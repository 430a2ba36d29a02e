"""Any instance file is read, or refused in one line."""

import json
import random
from contextlib import suppress

import numpy as np

from edgebatch import Instance, solve
from edgebatch.io.instance_format import answer, parse_instance
from edgebatch.io.json_text import read_text
from tests.edgebatch.instance_files import GOOD, changed
from tests.fuzz.answers import answered
from tests.fuzz.mutations import mutated_text, mutated_tree

BANDWIDTH = {"roofline": {"memory_bandwidth_bytes_per_s": 1.19e12}}
FILES = (GOOD, changed(("cost",), BANDWIDTH), changed(("padding",), {"fixed_tokens": 600}))


def _mutated(rng):
    """The text of an instance with its tree, its text, or both mutated."""
    good, how = rng.choice(FILES), rng.random()
    text = json.dumps(mutated_tree(good, rng) if how < 0.7 else good)
    return mutated_text(text, rng) if how > 0.4 else text


def test_a_mutated_instance_is_read_or_refused_in_one_line(each):
    def read(seed):
        text = _mutated(random.Random(seed))
        with answered("epoch.json: "):
            assert isinstance(parse_instance(text, "epoch.json"), Instance)

    each(read)


def test_a_mutated_instance_that_is_read_is_solved_or_refused_in_one_line(each):
    def read_and_solve(seed):
        rng = random.Random(seed)
        text = json.dumps(mutated_tree(rng.choice(FILES), rng))
        # arithmetic that no float holds is told in one line by the command line
        with answered(""), np.errstate(all="ignore"), suppress(ArithmeticError):
            instance = parse_instance(text, "epoch.json")
            assert json.dumps(answer(instance, solve(instance), "dftsp", 0.0))

    each(read_and_solve, share=0.1)


def test_mutated_bytes_are_read_or_refused_in_one_line(each, tmp_path):
    path = tmp_path / "epoch.json"

    def read(seed):
        rng = random.Random(seed)
        data = bytearray(json.dumps(rng.choice(FILES)).encode())
        for _ in range(rng.randrange(1, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(data)
        with answered(""):
            assert isinstance(parse_instance(read_text(path), "epoch.json"), Instance)

    each(read, share=0.4)

"""Any network file is read and solved, or refused in one line."""

import json
import random
from contextlib import suppress

import numpy as np
import pytest

from edgebatch.io.network_format import network_answer, parse_network
from edgebatch.network import Network, solve_network
from tests.fuzz.answers import answered
from tests.fuzz.mutations import mutated_text, mutated_tree
from tests.workflow.checkout import ROOT

GOOD = json.loads((ROOT / "docs/network.json").read_text(encoding="utf-8"))


def test_a_mutated_network_is_read_or_refused_in_one_line(each):
    def read(seed):
        rng = random.Random(seed)
        how = rng.random()
        text = json.dumps(mutated_tree(GOOD, rng) if how < 0.7 else GOOD)
        with answered("epoch.json: "):
            assert isinstance(
                parse_network(mutated_text(text, rng) if how > 0.4 else text, "epoch.json"), Network
            )

    each(read, share=0.5)


@pytest.mark.parametrize("method", ["joint", "gah"])
def test_a_mutated_network_that_is_read_is_solved_or_refused_in_one_line(each, method):
    def read_and_solve(seed):
        rng = random.Random(seed)
        text = json.dumps(mutated_tree(GOOD, rng))
        # arithmetic that no float holds is told in one line by the command line
        with answered(""), np.errstate(all="ignore"), suppress(ArithmeticError):
            network = parse_network(text, "epoch.json")
            assert json.dumps(network_answer(network, solve_network(network, method), method, 0.0))

    each(read_and_solve, share=0.1)

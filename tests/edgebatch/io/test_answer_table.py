import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgebatch import Quantization, Schedule
from edgebatch.io.answer_table import answer_table
from edgebatch.io.cli import main
from edgebatch.io.instance_format import answer
from tests.edgebatch.instances import unit_instance

EXAMPLE = str(Path(__file__).parents[3] / "docs/example.json")


def _table(schedule, width=80, **changes):
    instance = unit_instance([1, 1, 2], uplink=0.25, downlink=0.125, ids=("a", "b", "c"), **changes)
    return answer_table(instance, answer(instance, schedule, "dftsp", 0.0123), width)


def test_the_table_says_who_is_served_how_good_that_is_and_how_full_each_budget_is():
    # 16 FLOPs and 8 bytes each at 16 FLOPS; 12 bytes of weights
    text = _table(Schedule((0, 1), upper_bound=2, nodes_visited=7), slack_s=8.0, memory_bytes=56.0)
    assert text == "\n".join(
        [
            "scheduler  dftsp",
            "selected   a, b",
            "size       2 of 3 requests, proven the largest",
            "prompts    padded to 1 tokens",
            "solved in  12.3 ms, 7 nodes",
            "",
            "budget       load    limit  unit           used",
            "uplink        0.5        1  of the band  50.0 %",
            "downlink     0.25        1  of the band  25.0 %",
            "memory    2.8e-08  5.6e-08  GB           50.0 %",
            "compute         2        8  s            25.0 %",
        ]
    )


def test_a_bound_that_is_not_met_is_told():
    assert "1 of 3 requests, at most 3 possible" in _table(Schedule((0,), upper_bound=3))


def test_missed_requests_are_told_apart():
    text = _table(Schedule((0,), missed=(1,), upper_bound=3))
    assert "selected   a\nmissed     b\n" in text


def test_a_batch_of_nobody_has_no_prompt_length():
    text = _table(Schedule((), upper_bound=0))
    assert "selected   none\nsize       0 of 3" in text
    assert "padded" not in text


def test_long_lists_are_wrapped_and_stay_in_their_column():
    ids = tuple(f"request-{i:03}" for i in range(30))
    instance = unit_instance([1] * 30, ids=ids, compute_s=1e3, slack_s=1e3)
    schedule = Schedule(tuple(range(30)), upper_bound=30)
    text = answer_table(instance, answer(instance, schedule, "dftsp", 0.1), 60)
    assert max(map(len, text.splitlines())) <= 60
    assert re.findall(r"request-\d+", text) == list(ids)
    assert text.splitlines()[2].startswith(" " * 11 + "request-")


def test_names_cannot_reach_the_terminal():
    instance = unit_instance([1], ids=("\x1b[31mred\n",))
    text = answer_table(instance, answer(instance, Schedule((0,), upper_bound=1), "dftsp", 0.1))
    assert "\x1b" not in text
    assert "selected   \\x1b[31mred\\n" in text


def test_a_budget_of_nothing_is_no_crash():
    weightless = Quantization(weight_bits=5e-324, kv_bits=5e-324, compute_factor=1.0, accuracy=1.0)
    instance = unit_instance([1], memory_bytes=5e-324, quantization=weightless)
    assert "–" in answer_table(instance, answer(instance, Schedule((), upper_bound=0), "dftsp", 0.1))


@pytest.mark.parametrize(("options", "shown"), [([], "scheduler  dftsp\n"), (["--json"], "{\n")])
def test_a_terminal_shows_a_table_unless_told_json(options, shown, monkeypatch, capsys):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert main(["solve", EXAMPLE, *options]) == 0
    assert capsys.readouterr().out.startswith(shown)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_pipe_gets_json_in_any_case(options, capsys):
    assert main(["solve", EXAMPLE, *options]) == 0
    assert capsys.readouterr().out.startswith("{\n")


def test_a_process_with_a_terminal_prints_the_table():
    own, its = pty.openpty()
    program = [sys.executable, "-c", "from edgebatch.io.cli import main; raise SystemExit(main())"]
    done = subprocess.run([*program, "solve", EXAMPLE], stdout=its, stderr=subprocess.PIPE, check=False)
    os.close(its)
    shown = os.read(own, 10_000).decode()
    os.close(own)
    assert (done.returncode, done.stderr) == (0, b"")
    assert shown.startswith("scheduler  dftsp\r\nselected   r3, r5\r\n")

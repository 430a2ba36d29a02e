"""Command line: ``edgebatch solve FILE``, ``edgebatch replay FILE`` and ``edgebatch schedulers``."""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import shutil
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from edgebatch import schedulers, solve
from edgebatch.errors import InputError
from edgebatch.io.answer_table import answer_table
from edgebatch.io.command_line import Parser, ended_by_interrupt, run_command
from edgebatch.io.instance_format import FORMAT, answer, parse_instance
from edgebatch.io.json_text import format_of, read_text
from edgebatch.io.network_format import FORMAT as NETWORK_FORMAT
from edgebatch.io.network_format import network_answer, network_table, parse_network
from edgebatch.io.replay_format import FORMAT as REPLAY_FORMAT
from edgebatch.io.replay_format import parse_replay, replay_answer, replay_table
from edgebatch.network import Network, methods, solve_network
from edgebatch.problem import Instance
from edgebatch.serving import policies
from edgebatch.serving.replay import replay

SCHEDULER, METHOD = "dftsp", "joint"
"""What solves an epoch of one node, and of several, unless the command line says otherwise."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status that `run_command` documents."""
    return run_command("edgebatch", lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    chosen = _parser().parse_args(arguments)
    if chosen.command == "schedulers":
        _list_schedulers()
    elif chosen.command == "replay":
        _replay(chosen.file, chosen.policy, chosen.json or not sys.stdout.isatty())
    else:
        _solve(chosen.file, chosen.scheduler, chosen.method, chosen.json or not sys.stdout.isatty())


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="edgebatch", description="Schedule LLM inference in batches at a wireless edge node."
    )
    parser.add_argument("--version", action="version", version=f"edgebatch {version('edgebatch')}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    solving = commands.add_parser(
        "solve",
        help="schedule one epoch",
        description=f"Schedule one epoch, read from a JSON file ({FORMAT} of one node, or "
        f"{NETWORK_FORMAT} of several), and print the schedule: as a table on a terminal, otherwise as one "
        "JSON object.",
        epilog="example: edgebatch solve epoch.json --scheduler dftsp",
    )
    solving.add_argument("file", metavar="FILE", help="the instance; - reads standard input")
    solving.add_argument(
        "--scheduler",
        metavar="NAME",
        help=f"of one node: one of {', '.join(schedulers.names())} (default: {SCHEDULER})",
    )
    solving.add_argument(
        "--method",
        metavar="NAME",
        help=f"of several nodes: one of {', '.join(methods.names())} (default: {METHOD})",
    )
    solving.add_argument("--json", action="store_true", help="print JSON on a terminal too")
    replaying = commands.add_parser(
        "replay",
        help="serve requests over time by continuous batching",
        description="Serve requests over time by continuous batching, as a JSON file says "
        f"({REPLAY_FORMAT}), and print what becomes of them: as a table on a terminal, otherwise as one JSON "
        "object.",
        epilog="example: edgebatch replay replay.json --policy exact_admission",
    )
    replaying.add_argument("file", metavar="FILE", help="node and requests; - reads standard input")
    replaying.add_argument(
        "--policy",
        default="fcfs",
        metavar="NAME",
        help="one of " + ", ".join(policies.names()) + " (default: %(default)s)",
    )
    replaying.add_argument("--json", action="store_true", help="print JSON on a terminal too")
    commands.add_parser("schedulers", help="list the schedulers and their options")
    return parser


def _solve(file: str, scheduler: str | None, method: str | None, as_json: bool) -> None:
    for option, name, registry in (("--scheduler", scheduler, schedulers), ("--method", method, methods)):
        try:
            registry.get(registry.names()[0] if name is None else name)
        except InputError as error:
            raise InputError(option, error.found, error.expected) from None
    where = "standard input" if file == "-" else file
    text = read_text(None if file == "-" else Path(file))
    several = format_of(text).partition("/")[0] == NETWORK_FORMAT.partition("/")[0]
    if (scheduler if several else method) is not None:
        option, other = ("--scheduler", "--method") if several else ("--method", "--scheduler")
        nodes = "several nodes" if several else "one node"
        raise InputError(
            option, "an option that it has no use for", f"{other}, as it is a file of {nodes}", where
        )
    try:
        # numbers at the ends of what floats hold: an error below, or a request that nobody can serve
        with ended_by_interrupt(), np.errstate(all="ignore"):
            if several:
                result, table = _solved_network(parse_network(text, where), method or METHOD)
            else:
                result, table = _solved(parse_instance(text, where), scheduler or SCHEDULER)
    except InputError as error:
        raise error.at(where) from None
    except ArithmeticError as error:
        raise InputError("", str(error), "numbers whose products and ratios floats can hold", where) from None
    print(json.dumps(result, indent=2) if as_json else table)


def _solved(instance: Instance, scheduler: str) -> tuple[dict[str, Any], str]:
    """The answer to an epoch of one node, and its table."""
    begin = time.perf_counter()
    schedule = solve(instance, scheduler)
    result = answer(instance, schedule, scheduler, time.perf_counter() - begin)
    return result, answer_table(instance, result, shutil.get_terminal_size().columns)


def _solved_network(network: Network, method: str) -> tuple[dict[str, Any], str]:
    """The answer to an epoch of several nodes, and its table."""
    begin = time.perf_counter()
    schedule = solve_network(network, method)
    result = network_answer(network, schedule, method, time.perf_counter() - begin)
    return result, network_table(network, result)


def _replay(file: str, policy: str, as_json: bool) -> None:
    try:
        policies.get(policy)
    except InputError as error:
        raise InputError("--policy", error.found, error.expected) from None
    where, folder = ("standard input", Path()) if file == "-" else (file, Path(file).parent)
    asked = parse_replay(read_text(None if file == "-" else Path(file)), where, folder)
    try:
        with ended_by_interrupt(), np.errstate(all="ignore"):
            outcome = replay(asked.system, asked.trace, policy, asked.limits)
    except InputError as error:
        raise error.at(where) from None
    except ArithmeticError as error:
        raise InputError("", str(error), "numbers whose products and ratios floats can hold", where) from None
    answer_ = replay_answer(asked, outcome, policy)
    print(json.dumps(answer_, indent=2) if as_json else replay_table(answer_))


def _list_schedulers() -> None:
    for name in schedulers.names():
        print(f"{name}: {_summary(name)}")
        for option, default in schedulers.options(name).items():
            print(f"    {option} = {default!r}")


def _summary(scheduler: str) -> str:
    """First line of the scheduler's file; read from the source, since ``python -OO`` drops docstrings."""
    source = inspect.getsource(sys.modules[schedulers.get(scheduler).__module__])
    return (ast.get_docstring(ast.parse(source)) or "").partition("\n")[0]

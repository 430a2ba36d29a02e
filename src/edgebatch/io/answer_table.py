"""The answer to an instance as a table for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from edgebatch.errors import one_line
from edgebatch.problem import Instance


def answer_table(instance: Instance, answer: dict[str, Any], width: int = 80) -> str:
    """Show which requests are served, how close that is to the optimum, and how full each budget is.

    Parameters
    ----------
    answer
        Answer to the instance, from `edgebatch.io.instance_format.answer`.
    width
        Most characters in a line; long lists of requests are wrapped.
    """
    proof = ", proven the largest" if answer["optimal"] else f", at most {answer['upper_bound']:.6g} possible"
    weighted = "weight" in answer
    padded = answer["padded_prompt_tokens"]
    facts = {
        "scheduler": answer["scheduler"],
        "selected": ", ".join(answer["selected"]) or "none",
        "missed": ", ".join(answer.get("missed", ())),
        "size": f"{answer['size']} of {instance.size} requests{'' if weighted else proof}",
        "weight": f"{answer['weight']:.6g}{proof}" if weighted else "",
        "prompts": f"padded to {padded} tokens" if padded else "",
        "solved in": f"{1e3 * answer['solve_time_s']:.3g} ms, {answer['nodes_visited']} nodes",
    }
    lines = [
        textwrap.fill(
            one_line(value), max(width, 40), initial_indent=f"{name:<11}", subsequent_indent=11 * " "
        )
        for name, value in facts.items()
        if value
    ]
    memory_bytes = instance.system.edge_node.memory_bytes
    budgets = (
        ("uplink", answer["uplink_share"], 1.0, "of the band"),
        ("downlink", answer["downlink_share"], 1.0, "of the band"),
        ("memory", answer["memory_bytes"] / 1e9, memory_bytes / 1e9, "GB"),
        ("compute", answer["compute_time_s"], answer["deadline_s"], "s"),
    )
    rows = [
        (name, f"{load:.4g}", f"{limit:.4g}", unit, f"{100 * load / limit:.1f} %" if limit > 0 else "–")
        for name, load, limit, unit in budgets
    ]
    return "\n".join([*lines, "", *_aligned([("budget", "load", "limit", "unit", "used"), *rows])])


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Align the cells of each column, numbers to the right and words to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    sides = "<>><>"
    return [
        "  ".join(f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True))
        for row in rows
    ]

"""Checks of options that several schedulers take."""

from __future__ import annotations

from collections.abc import Collection

from edgebatch.errors import InputError, one_of
from edgebatch.schema import LARGEST_COUNT, Range, describe

LARGEST_NODE_LIMIT = 10**18
"""Fits in 64 bits; a search would take years to reach it."""


def check_node_limit(node_limit: object) -> None:
    """Raise an InputError for a node limit that is neither None nor a whole number from 1."""
    _check("node_limit", node_limit, Range(at_least=1, at_most=LARGEST_NODE_LIMIT, whole=True))


def check_time_limit(time_limit_s: object) -> None:
    """Raise an InputError for a time limit that is neither None nor a number of seconds above 0."""
    _check("time_limit_s", time_limit_s, Range(above=0, at_most=LARGEST_COUNT))


def check_rules(pruning: object, known: Collection[str]) -> None:
    """Raise an InputError unless the pruning rules are a collection of names of `known`."""
    if isinstance(pruning, str) or not isinstance(pruning, Collection):
        raise InputError("pruning", describe(pruning), "a list of rules, " + one_of(None, known))
    for rule in pruning:
        if not isinstance(rule, str) or rule not in known:
            raise InputError("pruning", describe(rule), one_of(rule, known))


def _check(key: str, limit: object, allowed: Range) -> None:
    if limit is not None and limit not in allowed:
        raise InputError(key, describe(limit), f"null for no limit, or {allowed}")

"""Scheduling of LLM inference in batches at a wireless edge node."""

from edgebatch.checker import Loads, check
from edgebatch.errors import InfeasibleSchedule, InputError
from edgebatch.model.llm import Llm
from edgebatch.model.quantization import Quantization
from edgebatch.model.roofline import Roofline
from edgebatch.model.storage import Storage
from edgebatch.model.system import EdgeNode, Slots, System
from edgebatch.model.tuning import Tuning
from edgebatch.problem import Instance, Schedule

__all__ = [
    "EdgeNode",
    "InfeasibleSchedule",
    "InputError",
    "Instance",
    "Llm",
    "Loads",
    "Quantization",
    "Roofline",
    "Schedule",
    "Slots",
    "Storage",
    "System",
    "Tuning",
    "check",
    "solve",
]


def solve(instance: Instance, scheduler: str = "dftsp", **options: object) -> Schedule:
    """Schedule one epoch: choose the batch of most requests, or weight, that constraints (10) to (13) allow.

    Parameters
    ----------
    instance
        The epoch's candidates and their node.
    scheduler
        Name of a scheduler of `edgebatch.schedulers`.
    options
        Options of that scheduler; those not given have the defaults of its signature.

    Returns
    -------
    Schedule
        The requests to serve, as indices into the instance, and a proven bound on their weight;
        `check` recomputes what they use of each budget.

    Raises
    ------
    InputError
        For an unknown scheduler or option, or weights where the scheduler takes none.
    """
    from edgebatch import schedulers
    from edgebatch.errors import one_of

    known = schedulers.options(scheduler)
    for name in options:
        if name not in known:
            raise InputError(f"scheduler.{name}", "an unknown option", one_of(name, known))
    schedulers.refuse_weights(instance, scheduler)
    return schedulers.get(scheduler)(instance, **options)

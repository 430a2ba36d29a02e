"""The schema of conf/workload/, and the workload that it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edgebatch.errors import InputError, one_of
from edgebatch.model.output_knowledge import Knowledge
from edgebatch.model.trace import TraceFile
from edgebatch.model.workload import Accuracy, Latency, Network, Slo, Workload
from edgebatch.schema import Checked, integer, real


class WorkloadConfig(Checked):
    """conf/workload/: the fields of a `Workload`, and the names of what it refers to.

    Attributes
    ----------
    requirements
        ``uniform`` for `latency`, or a class of `slo_classes`.
    trace
        File of recorded requests, from the folder of the project; None for random ones.
    """

    label: str
    arrival_rate: float | None = real(above=0)
    arrival_cv: float = real(above=0, at_most=100)
    prompt_tokens: tuple[int, ...] = integer(at_least=1)
    output_tokens: tuple[int, ...] = integer(at_least=1)
    payload_bits: float = real(at_least=0)
    requirements: str
    latency: Latency
    patience: float = real(above=0)
    accuracy: Accuracy
    network: Network
    knowledge: Knowledge
    trace: str | None


def build_workload(
    source: WorkloadConfig, classes: Mapping[str, Slo], name_trace: Callable[[str], TraceFile]
) -> Workload:
    """The workload of a configuration, whose trace is read and checked.

    Raises an `InputError` with a key of the composed configuration, or with the row and column of a trace.
    """
    if source.requirements not in ("uniform", *classes):
        expected = one_of(source.requirements, ("uniform", *classes))
        raise InputError("workload.requirements", repr(source.requirements), expected)
    names = Workload.__dataclass_fields__.keys() - {"slo", "trace"}
    try:
        return Workload(
            **{name: getattr(source, name) for name in names},
            slo=classes.get(source.requirements),
            trace=None if source.trace is None else name_trace(source.trace),
        )
    except InputError as error:
        raise error if error.where else error.at(prefix="workload") from None

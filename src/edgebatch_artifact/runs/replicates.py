"""A setting simulated with the files that it names."""

from __future__ import annotations

from collections.abc import Callable

from edgebatch.metrics import replicates_of
from edgebatch.setting import Setting
from edgebatch_artifact.storage.trace_file import read_trace


def simulate_setting(
    setting: Setting, tell: Callable[[str], None] | None = None
) -> tuple[list[dict[str, float]], dict[str, float]]:
    """Read the trace of a setting, if it has one, and return what `edgebatch.metrics.replicates_of` does."""
    file = setting.workload.trace
    return replicates_of(setting, tell, None if file is None else read_trace(file))

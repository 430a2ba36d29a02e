"""The machine: what it is, and the peaks that the roofline begins with."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import numpy as np

SIZE, COPIED_BYTES = 1024, 2**28
"""Rows of the matrices that are multiplied, and bytes that are copied: beyond most caches."""


def flops_peak(repetitions: int) -> float:
    """FLOPS of a product of two float32 matrices by NumPy's linear algebra, the best of some repetitions."""
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((SIZE, SIZE), dtype=np.float32) for _ in range(2))
    out = np.empty_like(left)
    return 2 * SIZE**3 / min(_seconds(lambda: np.matmul(left, right, out=out)) for _ in range(repetitions))


def bandwidth_peak(repetitions: int) -> float:
    """Bytes per second that a copy reads and writes, the best of some repetitions."""
    source = np.ones(COPIED_BYTES // 8)
    target = np.empty_like(source)
    best_s = min(_seconds(lambda: np.copyto(target, source)) for _ in range(repetitions))
    return 2 * COPIED_BYTES / best_s


def _seconds(call) -> float:  # type: ignore[no-untyped-def]
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def memory_bytes() -> int:
    """Bytes of physical memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def processor() -> str:
    """Name of the processor, as the system has it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())

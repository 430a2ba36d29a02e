"""After the conformance tests: how many instances of each regime each scheduler was compared on."""

from collections import Counter


def pytest_terminal_summary(terminalreporter):
    compared = Counter()
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            if name == "compared":
                regime, scheduler, takes = value
                compared[regime, scheduler] += takes
    regimes = list(dict.fromkeys(regime for regime, _ in compared))
    if regimes:
        terminalreporter.section("instances compared")
        terminalreporter.write_line(f"{'':20}" + "".join(f"{regime:>26}" for regime in [*regimes, "all"]))
    for scheduler in dict.fromkeys(scheduler for _, scheduler in compared):
        counts = [compared[regime, scheduler] for regime in regimes]
        terminalreporter.write_line(f"{scheduler:20}" + "".join(f"{n:26}" for n in [*counts, sum(counts)]))

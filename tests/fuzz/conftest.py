"""How many examples the fuzz tests try: few with all tests, many with `make fuzz`."""

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st


def pytest_addoption(parser):
    parser.addoption("--examples", type=int, default=300, help="examples of each fuzz test")


@pytest.fixture
def each(request):
    """Calls a test with many random generators; the same ones whenever and wherever it runs."""

    def call(test, share=1.0):
        settings(
            max_examples=max(20, int(share * request.config.getoption("--examples"))),
            phases=[Phase.generate],
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )(given(st.integers(0, 2**63 - 1))(test))()

    return call

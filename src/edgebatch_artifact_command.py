"""The command ``artifact``, which works in a checkout alone: a wheel of the library holds no pipeline."""

import sys


def main() -> int:
    """Run the pipeline's command line, or say in one line how to get it."""
    try:
        from edgebatch_artifact.cli import main as run
    except ModuleNotFoundError as error:
        expected = "a checkout of the project, with pip install -e '.[artifact]' in it"
        print(f"artifact: found no package {error.name}, expected {expected}", file=sys.stderr)
        return 2
    return run()

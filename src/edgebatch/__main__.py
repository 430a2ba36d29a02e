"""``python -m edgebatch``: the command line."""

from edgebatch.io.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

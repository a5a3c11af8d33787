"""`python -m syncengine` and the `syncengine` command."""

import sys

from syncengine.cli.app import main as run


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()

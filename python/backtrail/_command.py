"""The command ``backtrail`` that the package installs."""

import sys

from backtrail import _native


def main() -> int:
    """Run the command with the arguments of this process and return its exit code."""
    return _native.main(["backtrail", *sys.argv[1:]], sys.stdout is not None)

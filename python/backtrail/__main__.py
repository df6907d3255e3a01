"""``python -m backtrail``: the command ``backtrail``."""

import sys

from backtrail._command import main

sys.exit(main())

"""``python -m glassnet``: the command ``glassnet``."""

import sys

from glassnet.cli.main import main

sys.exit(main())

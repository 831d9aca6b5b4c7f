# SPDX-License-Identifier: AGPL-3.0-or-later
"""`python -P -m whistle`: the same as the `whistle` program."""

import sys

from whistle.cli import main

sys.exit(main())

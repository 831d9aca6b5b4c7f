# SPDX-License-Identifier: AGPL-3.0-or-later
"""The one error a command raises on purpose: a sentence for the operator, saying what to do."""


class CommandError(Exception):
    """Something the operator can mend; its text is printed as it stands."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Errors of the figures, by culprit.

* `InputError`: cases, cards and day do not belong together.
* `PastError`: an earlier release's tables are not of the shape they must have.
* `DisclosureError`: the tables would tell a small number; nothing may be released.

No message carries a count or a case.
"""


class FiguresError(Exception):
    """Base of the family; never raised itself."""


class InputError(FiguresError):
    """Cases, cards and day do not belong together."""


class PastError(FiguresError):
    """The tables of an earlier release are not usable."""


class DisclosureError(FiguresError):
    """The attack found a number below ten."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a share is written.

Invariant: it is never rounded up to all or down to nothing.

Source: docs/spec/figures.md section 1.
"""

from typing import Final

from case_mgmt.figures.definitions import WHOLE
from whistle.i18n import Language

_SIGN: Final[dict[Language, str]] = {"id": "\u00a0%", "en": "%"}


def per_cent(share: int, lang: Language) -> str:
    """Ten-thousandths as whole per cent: 83 %."""
    rounded = (100 * share + WHOLE // 2) // WHOLE
    if 0 < share < WHOLE:
        rounded = min(99, max(1, rounded))
    return f"{rounded}{_SIGN[lang]}"

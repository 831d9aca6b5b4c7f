# SPDX-License-Identifier: AGPL-3.0-or-later
"""All targets. A new parser is one row in one of these tables, or one more table here."""

from tests.fuzz import sealed, texts, wire
from tests.fuzz.target import Target

TARGETS: dict[str, Target] = {
    target.name: target
    for table in (sealed.TARGETS, texts.TARGETS, wire.TARGETS)
    for target in table
}

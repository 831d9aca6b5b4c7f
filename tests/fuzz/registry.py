# SPDX-License-Identifier: AGPL-3.0-or-later
"""All targets. A new parser is one row in one of these tables, or one more table here."""

from tests.fuzz import files, sealed, texts, wire
from tests.fuzz.target import Target

TABLES = (sealed.TARGETS, texts.TARGETS, files.TARGETS, wire.TARGETS)
TARGETS: dict[str, Target] = {target.name: target for table in TABLES for target in table}

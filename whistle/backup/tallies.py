# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a database holds, counted: the proof that a restored one holds the same.

A tally is, per table, the number of rows, and for the tables that carry the promise (acts with
their hashes and signatures, cases with their open clocks, threads) a SHA-256 over all their rows.
The names of the tables are read from the database: a later schema is counted without a change here.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from sqlcipher3 import dbapi2

from whistle.backup.databases import connected
from whistle.backup.errors import DamageError

DIGESTED: Final = {"cases": ("acts", "cases", "notes"), "intake": ("threads", "mailbox")}
_TABLE: Final = re.compile(r"[a-z][a-z0-9_]*")

Tally = Mapping[str, Any]


def tally(service: str, path: Path, key: str) -> dict[str, Any]:
    """`{"rows": {table: count}, "digests": {table: hex}}`.  Raises SourceError, DamageError."""
    with connected(path, key) as connection:
        try:
            names = [
                row[0]
                for row in connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
                ).fetchall()
                if _TABLE.fullmatch(row[0]) and not row[0].startswith("sqlite_")
            ]
            rows = {
                name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]  # noqa: S608
                for name in names
            }
            digests = {
                name: _digest(connection, name) for name in DIGESTED[service] if name in rows
            }
        except dbapi2.Error as error:
            raise DamageError(f"{path.name} cannot be counted") from error
    return {"rows": rows, "digests": digests}


def differences(before: Tally, after: Tally) -> list[str]:
    """What two tallies disagree on, as `table: 3 rows, not 4`; empty when they agree."""
    found = []
    counted, present = before["rows"], after["rows"]
    for name in sorted({*counted, *present}):
        if counted.get(name) != present.get(name):
            found.append(f"{name}: {present.get(name, 'no')} rows, not {counted.get(name, 'none')}")
    digests = before["digests"]
    found += [
        f"{name}: other content"
        for name in sorted(digests)
        if digests[name] != after["digests"].get(name) and counted.get(name) == present.get(name)
    ]
    return found


def _digest(connection: Any, table: str) -> str:
    """SHA-256 over the rows in the order of their first two columns."""
    digest = hashlib.sha256()
    for row in connection.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):  # noqa: S608
        for value in row:
            data = value if isinstance(value, bytes) else repr(value).encode()
            digest.update(len(data).to_bytes(8, "big") + data)
        digest.update(b"\n")
    return digest.hexdigest()

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the tables for spreadsheets are what the data package says: columns, types, limits, keys.

Invariants
* Needs nothing but the standard library: the part of Table Schema that releases use.  A type or
  constraint that is not known here is a fault, never silently accepted; patterns are among them:
  one can be made to run for years.
* Paths come from the descriptor but only files of the release are read.

Source: Data Package v2, Table Schema v2; docs/spec/release.md section 6.
"""

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, Final

from whistle.verify.faults import Fault, Found

DESCRIPTOR: Final = "datapackage.json"
MAX_SHOWN: Final = 20
_TRUTH: Final = frozenset({"true", "false", "True", "False", "TRUE", "FALSE", "1", "0"})

Read = Callable[[str], bytes | None]
Members = Mapping[str, Any]


class _InvalidError(Exception):
    """What is wrong, as a place: file, row, column."""


def check_package(read: Read) -> tuple[list[Found], int]:
    """Faults, and the number of rows that were checked."""
    try:
        descriptor = _members(json.loads(read(DESCRIPTOR) or b""))
        resources = [_members(each) for each in _list(descriptor, "resources")]
    except (ValueError, _InvalidError, RecursionError):
        return [Found(Fault.PACKAGE_INVALID, DESCRIPTOR)], 0
    found: list[Found] = []
    rows = 0
    for resource in resources:
        try:
            rows += _check_resource(resource, read)
        except _InvalidError as error:
            found.append(Found(Fault.PACKAGE_INVALID, str(error)))
        except (TypeError, ValueError, KeyError):  # a descriptor that says nothing sensible
            found.append(Found(Fault.PACKAGE_INVALID, DESCRIPTOR))
    return found[:MAX_SHOWN], rows


def _check_resource(resource: Members, read: Read) -> int:
    path = _text(resource, "path")
    data = read(path)
    if data is None:
        raise _InvalidError(path)
    digest = resource.get("hash")
    if digest is not None and digest != f"sha256:{hashlib.sha256(data).hexdigest()}":
        raise _InvalidError(f"{path} (hash)")
    if resource.get("bytes", len(data)) != len(data):
        raise _InvalidError(f"{path} (bytes)")
    if "schema" not in resource:
        return 0
    return _check_table(path, data, _members(resource["schema"]))


def _check_table(path: str, data: bytes, schema: Members) -> int:
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise _InvalidError(path) from error
    fields = [_members(each) for each in _list(schema, "fields")]
    names = [_text(each, "name") for each in fields]
    if not rows or rows[0] != names:
        raise _InvalidError(f"{path} (columns)")
    missing = _missing(schema)
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(fields):
            raise _InvalidError(f"{path}:{number}")
        for field, cell in zip(fields, row, strict=True):
            if not _is_valid(field, None if cell in _missing_of(field, missing) else cell):
                raise _InvalidError(f"{path}:{number} ({field['name']})")
    _check_keys(path, names, rows[1:], schema)
    return len(rows) - 1


def _check_keys(path: str, names: list[str], rows: Sequence[list[str]], schema: Members) -> None:
    key = schema.get("primaryKey", [])
    columns = [key] if isinstance(key, str) else list(key)
    if not columns:
        return
    if not set(columns) <= set(names):
        raise _InvalidError(f"{path} (primaryKey)")
    places = [names.index(each) for each in columns]
    values = [tuple(row[place] for place in places) for row in rows]
    if len(set(values)) != len(values):
        raise _InvalidError(f"{path} (primaryKey)")


def _is_valid(field: Members, cell: str | None) -> bool:
    limits = _members(field.get("constraints", {}))
    if cell is None:
        return not limits.get("required", False)
    kind = field.get("type", "string")
    if kind not in _TYPES or not _TYPES[kind](cell):
        return False
    return all(name in _LIMITS and _LIMITS[name](kind, cell, each) for name, each in limits.items())


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda cell: compiled.fullmatch(cell) is not None


def _is_date(cell: str) -> bool:
    try:
        return date.fromisoformat(cell).isoformat() == cell
    except ValueError:
        return False


_TYPES: Final[Mapping[str, Callable[[str], bool]]] = {
    "string": lambda _cell: True,
    "any": lambda _cell: True,
    "integer": _matches(r"[+-]?[0-9]{1,18}"),
    "number": _matches(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?"),
    "boolean": lambda cell: cell in _TRUTH,
    "date": _is_date,
    "year": _matches(r"[0-9]{4}"),
    "yearmonth": _matches(r"[0-9]{4}-(0[1-9]|1[0-2])"),
}


def _value(kind: str, cell: str) -> float | str:
    return float(cell) if kind in {"integer", "number"} else cell


_LIMITS: Final[Mapping[str, Callable[[str, str, Any], bool]]] = {
    "required": lambda _kind, _cell, _limit: True,
    "unique": lambda _kind, _cell, _limit: True,
    "minimum": lambda kind, cell, limit: _value(kind, cell) >= _value(kind, str(limit)),  # type: ignore[operator]
    "maximum": lambda kind, cell, limit: _value(kind, cell) <= _value(kind, str(limit)),  # type: ignore[operator]
    "minLength": lambda _kind, cell, limit: len(cell) >= int(limit),
    "maxLength": lambda _kind, cell, limit: len(cell) <= int(limit),
    "enum": lambda _kind, cell, limit: cell in [str(each) for each in limit],
}


def _missing_of(field: Members, default: frozenset[str]) -> frozenset[str]:
    return _missing(field) if "missingValues" in field else default


def _missing(source: Members) -> frozenset[str]:
    """Texts that stand for "no value": plain, or with a label."""
    values = source.get("missingValues", [""])
    return frozenset(each["value"] if isinstance(each, dict) else str(each) for each in values)


def _members(value: Any) -> Members:
    if not isinstance(value, dict):
        raise _InvalidError(DESCRIPTOR)
    return value


def _list(source: Members, key: str) -> list[Any]:
    value = source.get(key)
    if not isinstance(value, list):
        raise _InvalidError(DESCRIPTOR)
    return value


def _text(source: Members, key: str) -> str:
    value = source.get(key)
    if not isinstance(value, str):
        raise _InvalidError(DESCRIPTOR)
    return value

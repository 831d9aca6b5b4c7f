# SPDX-License-Identifier: AGPL-3.0-or-later
"""Under which licences our dependencies come, as SPDX expressions, and whether we may use them.

Read from the metadata of the installed packages. Where that is missing or ambiguous, `READ_BY_HAND`
says what the package's licence file says.
"""

from collections.abc import Iterable
from importlib import metadata
from typing import Final

from tests.supply.locks import Locked, Script

READ_BY_HAND: Final = {
    "jinja2": "BSD-3-Clause",
    "multipart": "MIT",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
    "pynacl": "Apache-2.0",
    "segno": "BSD-3-Clause",
    "sqlcipher3": "Zlib",  # the module; SQLCipher in it is BSD-3-Clause, OpenSSL Apache-2.0
    "stem": "LGPL-3.0-only",
    "uvloop": "Apache-2.0 OR MIT",
}
FROM_WORDS: Final = {
    "Apache 2.0": "Apache-2.0",
    "Apache-2.0": "Apache-2.0",
    "MIT": "MIT",
    "MIT License": "MIT",
    "PSF-2.0": "PSF-2.0",
    "BSD-3-Clause": "BSD-3-Clause",
}
FROM_CLASSIFIERS: Final = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
}
ALLOWED: Final = frozenset(
    {
        "0BSD", "AGPL-3.0-or-later", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0",
        "CC0-1.0", "HPND", "ISC", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0",
        "MIT-CMU", "MPL-2.0", "PSF-2.0", "Python-2.0", "Zlib",
        "GPL-3.0-or-later WITH GCC-exception-3.1",
    }
)  # fmt: skip
"""Licences whose works may be combined with ours, AGPL-3.0-or-later."""


def licence_of(name: str) -> str:
    """The SPDX expression of an installed package. Raises: KeyError: nobody says."""
    if name in READ_BY_HAND:
        return READ_BY_HAND[name]
    told = metadata.metadata(name)
    if expression := told.get("License-Expression"):
        return str(expression)
    classified = {FROM_CLASSIFIERS.get(each, "") for each in told.get_all("Classifier") or ()}
    if len(known := sorted(classified - {""})) == 1:
        return known[0]
    return FROM_WORDS[str(told.get("License"))]


def allowed(expression: str) -> bool:
    """Whether an expression leaves us a way to use the work: each part has an allowed choice."""
    parts = expression.replace("(", "").replace(")", "").split(" AND ")
    return all(any(choice.strip() in ALLOWED for choice in part.split(" OR ")) for part in parts)


def report(locked: Iterable[Locked], bundled: Iterable[Script]) -> str:
    """The licence report: one line a package."""
    lines = [(f"{one.name} {one.version}", licence_of(one.name)) for one in locked]
    lines += [(f"{one.name} {one.version} (npm)", one.licence) for one in bundled]
    return "".join(f"{name:<40}{licence}\n" for name, licence in sorted(lines))

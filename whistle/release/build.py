# SPDX-License-Identifier: AGPL-3.0-or-later
"""From inputs to the folder that is published.

Invariants
* The attack on the tables runs first; if it finds anything, nothing is written.
* release.json names every other file but release.sig by its hash.
* The same inputs make the same bytes.

Source: docs/spec/release.md sections 1 and 2.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from case_mgmt.figures.attack import attack
from case_mgmt.figures.definitions import DEFINITIONS
from case_mgmt.figures.errors import FiguresError
from case_mgmt.figures.published import parse
from crypto.encoding import canonical_json
from whistle.assets import templates_dir
from whistle.release.chartset import chart_files
from whistle.release.errors import AlreadyPublishedError, DisclosureError, InputError
from whistle.release.folder import RELEASE, write_folder
from whistle.release.inputs import ORGANISATION_FILES, ReleaseInputs, check_inputs
from whistle.release.package import datapackage, dcat
from whistle.release.pages import language_charts, page_files
from whistle.release.sheets import SHEETS, sheet_files

VERSION: Final = 1


def build(inputs: ReleaseInputs, out: Path) -> Path:
    """Write the release folder `out` and return it.

    Raises AlreadyPublishedError, DisclosureError, InputError, FolderError.
    """
    check_inputs(inputs)
    if out.exists():
        raise AlreadyPublishedError(f"{out.name} is there already, and a release never changes")
    check_disclosure(inputs)
    write_folder(release_files(inputs), out)
    return out


def check_disclosure(inputs: ReleaseInputs) -> None:
    """Attack this release together with all that are out.  Raises DisclosureError, InputError."""
    try:
        before = [parse(each.figures, each.tables) for each in inputs.earlier]
        report = attack([*before, parse(inputs.figures, inputs.tables)])
    except FiguresError as error:
        raise InputError("the tables of the releases do not fit together") from error
    if report.found:
        tables = sorted({finding.key.table for finding in report.found})
        raise DisclosureError(
            f"{len(report.found)} numbers below ten could be worked out, in: {', '.join(tables)}"
        )


def release_files(inputs: ReleaseInputs) -> dict[str, bytes]:
    """Path to content of everything in the folder but release.sig."""
    files = {name: inputs.organisation[name] for name in ORGANISATION_FILES}
    files |= {f"log/{path}": data for path, data in inputs.log_files.items()}
    files |= {"canaries.json": inputs.canaries}
    files |= _data(inputs)
    files |= {"datapackage.json": datapackage(inputs, files), "dcat.jsonld": dcat(inputs, files)}
    files |= {"LICENSE.txt": (templates_dir() / "release" / "LICENSE.txt").read_bytes()}
    made = language_charts(inputs)
    for lang, charts in made.items():
        files |= chart_files(lang, charts)
    files |= page_files(inputs, made, [Path(sheet.path).name for sheet in SHEETS])
    return files | {RELEASE: canonical_json(_head(inputs, files))}


def _data(inputs: ReleaseInputs) -> dict[str, bytes]:
    objects = {
        "figures": inputs.figures,
        "tables": inputs.tables,
        "suppression": inputs.suppression,
    }
    files = {f"data/{name}.json": canonical_json(value) for name, value in objects.items()}
    return files | sheet_files(inputs.figures, inputs.tables)


def _head(inputs: ReleaseInputs, files: Mapping[str, bytes]) -> dict[str, Any]:
    previous, log = inputs.previous, inputs.log
    return {
        "v": VERSION,
        "id": inputs.id,
        "instance": inputs.instance_id.hex(),
        "definitions": DEFINITIONS,
        "as_of": inputs.as_of.isoformat(),
        "period": {
            "from": inputs.period.first.isoformat(),
            "to": inputs.period.last.isoformat(),
        },
        "previous": None if previous is None else {"id": previous.id, "sha256": previous.sha256},
        "reason": inputs.reason,
        "log": {"origin": log.origin, "size": log.size, "root": log.root.hex()},
        "files": {path: hashlib.sha256(data).hexdigest() for path, data in files.items()},
    }

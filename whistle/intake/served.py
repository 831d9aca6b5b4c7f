# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every file a site serves that is the same for everybody: what the root key signs a list of.

Invariants:

* these files follow from the release, the organisation's signed files and the largest file size
  alone, so whoever holds these can compute them offline and sign the list without asking a server;
* the server answers with exactly these bytes.

Source: docs/spec/offline.md, "Site files".
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from whistle import qr
from whistle.i18n import LANGUAGES
from whistle.intake.offline_page import OrganisationFiles, offline_page
from whistle.intake.organisation import PUBLIC_FILES, Organisation

INSTANCE_PATH: Final = "/instance.id"
IMAGE_PATH: Final = "/keys.png"
VERIFIER_PATH: Final = "/verify.html"
IMAGE_SCALE: Final = 4
QR_PREFIX: Final = "WHISTLE:"  # upper case and digits only: the smaller code of QR


def served_files(organisation: Organisation, verifier: bytes | None) -> Mapping[str, bytes]:
    """Return path -> bytes of all of them.

    `verifier` is the page that verifies releases (whistle.verify.offline_page); None where a site
    was built without one.
    """
    pages = organisation.pages
    files = {f"/{name}": organisation.files[name] for name in PUBLIC_FILES}
    files[INSTANCE_PATH] = instance_file(organisation.manifest.instance_id)
    files[IMAGE_PATH] = fingerprint_image(organisation.manifest.instance_id)
    if verifier is not None:
        files[VERIFIER_PATH] = verifier
    files.update({path: file.body for path, file in pages.files.items()})
    for lang in LANGUAGES:
        files[f"/{lang}/offline.html"] = offline_page(lang, organisation_files(organisation))
    return files


def organisation_files(organisation: Organisation) -> OrganisationFiles:
    """Return what an offline page carries of the organisation."""
    return OrganisationFiles(
        organisation.manifest.instance_id,
        organisation.files["manifest.json"],
        organisation.files["manifest.sig"],
        organisation.files["catalogue.json"],
    )


def instance_file(instance_id: bytes) -> bytes:
    """Return the root key as a file; worth nothing without comparing it elsewhere."""
    return instance_id.hex().encode() + b"\n"


@lru_cache(maxsize=2)
def fingerprint_image(instance_id: bytes) -> bytes:
    """Return the QR code of the root key, as PNG."""
    return qr.png(QR_PREFIX + instance_id.hex().upper(), IMAGE_SCALE)

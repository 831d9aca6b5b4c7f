# SPDX-License-Identifier: AGPL-3.0-or-later
"""From inputs to the folder that is published."""

from pathlib import Path

from whistle.release.folder import write_folder
from whistle.release.inputs import ReleaseInputs, check_inputs


def build(inputs: ReleaseInputs, out: Path) -> Path:
    """Write the release folder `out` and return it.

    Raises AlreadyPublishedError, DisclosureError, InputError, FolderError.
    """
    check_inputs(inputs)
    write_folder({}, out)
    return out

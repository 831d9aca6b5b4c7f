# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why a release is not made or not believed, by whose mistake it is."""


class ReleaseError(Exception):
    """Common base; never raised itself."""


class AlreadyPublishedError(ReleaseError):
    """The folder is there already: a release is never written twice."""


class DisclosureError(ReleaseError):
    """The tables would tell a number below the smallest that may be told."""


class InputError(ReleaseError):
    """What the release was to be made of is incomplete or does not fit together."""


class FolderError(ReleaseError):
    """The folder is not the release that its release.json describes."""


class SignatureError(ReleaseError):
    """The release is not signed as it must be, or may not be signed so."""

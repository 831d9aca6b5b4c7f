# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pure cryptography: bytes in, bytes out; no clock, environment, file or network."""

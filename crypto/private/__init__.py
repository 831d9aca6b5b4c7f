# SPDX-License-Identifier: AGPL-3.0-or-later
"""Private keys and the code that opens reports: loaded only by the desk."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checks what an organisation publishes, with nothing but the published files."""

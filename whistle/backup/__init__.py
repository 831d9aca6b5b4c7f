# SPDX-License-Identifier: AGPL-3.0-or-later
"""Encrypted incremental backups of both servers, and proof that they can be put back."""

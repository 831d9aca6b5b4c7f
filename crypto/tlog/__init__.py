# SPDX-License-Identifier: AGPL-3.0-or-later
"""Transparency logs in the formats of C2SP: tree, notes, checkpoints, tiles, witnesses, proofs."""

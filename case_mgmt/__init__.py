# SPDX-License-Identifier: AGPL-3.0-or-later
"""Life of a case: transition table, clock, signed acts, ledger; no framework."""

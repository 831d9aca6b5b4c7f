# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the public log holds: leaves, batches, and the case histories anybody can read from it."""

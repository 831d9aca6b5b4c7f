# SPDX-License-Identifier: AGPL-3.0-or-later
"""One module per command of the whistle program."""

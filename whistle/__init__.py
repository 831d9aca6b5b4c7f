# SPDX-License-Identifier: AGPL-3.0-or-later
"""whistle: anonymous bribery reports, visibly followed up."""

__version__ = "0.1.0"

# SPDX-License-Identifier: AGPL-3.0-or-later
"""One module per topic of the public pages."""

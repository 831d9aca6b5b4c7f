# SPDX-License-Identifier: AGPL-3.0-or-later
"""The intake server: pages, forms, sealing on arrival, mailboxes, feed."""

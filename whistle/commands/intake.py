# SPDX-License-Identifier: AGPL-3.0-or-later
"""`whistle intake`: the public pages and the feed, in one small process."""

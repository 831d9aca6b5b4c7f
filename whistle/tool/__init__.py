# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's own programs: seal away from any server, read replies, check a site."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The case server: feed puller and the JSON interface for desks."""

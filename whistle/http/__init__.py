# SPDX-License-Identifier: AGPL-3.0-or-later
"""HTTP plumbing shared by the servers: serving, headers, signed requests."""

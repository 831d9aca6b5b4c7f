# SPDX-License-Identifier: AGPL-3.0-or-later
"""Persistence of cases: ports, schema, SQLCipher adapter, migrations."""

# SPDX-License-Identifier: AGPL-3.0-or-later
"""The interface for reporters' clients that seal before they send (docs/spec/client-api.md)."""

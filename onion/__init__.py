# SPDX-License-Identifier: AGPL-3.0-or-later
"""Onion services: addresses, torrc text, client authorisation, the tor process."""

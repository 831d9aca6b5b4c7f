# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small witness that others can run for our log, and the client that asks witnesses."""

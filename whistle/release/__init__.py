# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is published: a folder of pages, tables and proofs that stands on its own."""

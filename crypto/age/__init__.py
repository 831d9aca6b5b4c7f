# SPDX-License-Identifier: AGPL-3.0-or-later
"""age v1 (C2SP age) for mlkem768x25519 recipients: header, STREAM, writer, reader."""

# SPDX-License-Identifier: Apache-2.0
"""What is tortured: the examples, each with its data and with what must be true of it in the end."""

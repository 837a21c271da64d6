# SPDX-License-Identifier: Apache-2.0
"""How fast contacts are loaded, in how much memory, and what a kill costs. Figures, not tests."""

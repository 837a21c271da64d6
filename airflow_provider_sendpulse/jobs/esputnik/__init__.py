# SPDX-License-Identifier: Apache-2.0
"""What work with eSputnik needs beyond one call."""

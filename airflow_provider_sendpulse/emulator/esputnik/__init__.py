# SPDX-License-Identifier: Apache-2.0
"""An account of eSputnik (Yespo), beside the one of SendPulse."""

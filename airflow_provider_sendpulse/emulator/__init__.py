# SPDX-License-Identifier: Apache-2.0
"""A local SendPulse: the HTTP API, its state machines and its failures, in memory.

Start it with ``python -m airflow_provider_sendpulse.emulator``, or in a test with
:class:`airflow_provider_sendpulse.emulator.server.RunningEmulator`. It shares no code with the rest of the
package, so that the two are able to disagree.
"""

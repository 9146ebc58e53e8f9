"""News of agents, for the apps above: sent after the commit that made it true."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

#: Agents can be rung again. Sent with ``agent_ids`` (a list) and ``now``.
freed: Final = Signal()

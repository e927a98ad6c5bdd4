"""The UCM's HTTPS API: sessions, return codes, TLS, lists and call records."""

from __future__ import annotations

from ucm_analytics.sources.ucm.session import Retries
from ucm_analytics.sources.ucm.source import UCM

__all__ = ["UCM", "Retries"]

"""The UCM's HTTPS API: sessions, return codes, TLS, lists and call records. No frames here."""

from __future__ import annotations

from ucm_analytics.client.session import UCM, Retries

__all__ = ["UCM", "Retries"]

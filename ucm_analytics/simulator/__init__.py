"""A UCM to try and test against: the same API over real TLS, seeded traffic, switchable faults.

>>> with Simulator() as pbx:
...     pbx.url.startswith("https://127.0.0.1:")
True
"""

from __future__ import annotations

from ucm_analytics.simulator.access import ALL, LoginRules, User
from ucm_analytics.simulator.faults import FAULTS
from ucm_analytics.simulator.pbx import Simulator
from ucm_analytics.simulator.profiles import PROFILES
from ucm_analytics.simulator.records import Call, Site
from ucm_analytics.simulator.running import run, serve

__all__ = [
    "ALL",
    "FAULTS",
    "PROFILES",
    "Call",
    "LoginRules",
    "Simulator",
    "Site",
    "User",
    "run",
    "serve",
]

"""What all tests share."""

from __future__ import annotations

import os

from hypothesis import settings

# The gate gives the same answer for the same code; `make soak` searches on, with other examples each time.
settings.register_profile("gate", derandomize=True, deadline=None)
settings.register_profile("soak", max_examples=2000, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

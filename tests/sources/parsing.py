"""Bytes of an answer to typed legs in one step."""

from __future__ import annotations

from itertools import chain

import pyarrow as pa

from ucm_analytics.legs import legs_table
from ucm_analytics.sources.ucm.page import decode


def parse_page(body: bytes, *, pbx: str) -> pa.Table:
    """Legs of one `cdrapi` answer, in its order."""
    return legs_table(list(chain.from_iterable(decode(body))), pbx=pbx)

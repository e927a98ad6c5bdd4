"""Bytes of one `cdrapi` answer to typed legs."""

from __future__ import annotations

from itertools import chain

import pyarrow as pa

from ucm_analytics.legs import legs_table
from ucm_analytics.sources.ucm.page import decode


def parse_page(body: bytes, *, pbx: str) -> pa.Table:
    """Legs of one `cdrapi` answer.

    Parameters
    ----------
    body : bytes
        The answer as the PBX sent it.
    pbx : str
        Name of the PBX.

    Returns
    -------
    pyarrow.Table
        One row a leg, in the answer's order, columns of `schema.LEGS`.

    Raises
    ------
    APIError
        The answer is a return code.
    UnexpectedAnswer
        The answer is no CDR answer.
    """
    return legs_table(list(chain.from_iterable(decode(body))), pbx=pbx)

"""Erlang's formulas: lines for a trunk, agents for a queue. NumPy only, numbers or arrays in, the same out.

Traffic is in erlang: calls a second times the seconds that a call holds a line or an agent. Sums are built
by recursion, never from factorials, so large systems do not overflow.

References
----------
A. K. Erlang (1917); ITU-T E.500, E.501. S. Zeltyn, A. Mandelbaum: The Palm/Erlang-A Queue, with Applications
to Call Centers (2005), and Call Centers with Impatient Customers (2005), for the density of the offered wait.
"""

from ucm_analytics.erlang.lines import erlang_b, lines_needed
from ucm_analytics.erlang.queues import Queue, agents_needed, erlang_a, erlang_c

__all__ = [
    "Queue",
    "agents_needed",
    "erlang_a",
    "erlang_b",
    "erlang_c",
    "lines_needed",
]

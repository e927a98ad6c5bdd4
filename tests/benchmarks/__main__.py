"""`python -m tests.benchmarks [NAME...]` runs all benchmarks, or those named."""

from __future__ import annotations

import sys

from tests.benchmarks import analysing, importing, modelling, parsing, pulling, reporting, syncing

BENCHMARKS = {
    "parsing": parsing,
    "importing": importing,
    "pulling": pulling,
    "syncing": syncing,
    "modelling": modelling,
    "reporting": reporting,
    "analysing": analysing,
}

for name in sys.argv[1:] or BENCHMARKS:
    print(f"== {name}: {(BENCHMARKS[name].__doc__ or '').splitlines()[0]}", flush=True)
    for line in BENCHMARKS[name].rows():
        print(f"   {line}", flush=True)

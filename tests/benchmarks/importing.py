"""Import of the package and --help, against a bare interpreter and against importing pandas."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.timing import medians

COMMAND = str(Path(sys.executable).parent / "ucm-analytics")


def rows() -> Iterator[str]:
    """Lines of the result."""
    work = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import ucm_analytics": [sys.executable, "-c", "import ucm_analytics"],
        "ucm-analytics --help": [COMMAND, "--help"],
        "import pandas": [sys.executable, "-c", "import pandas"],
    }
    seconds = medians(
        {
            name: (lambda words=words: subprocess.run(words, check=True, capture_output=True))
            for name, words in work.items()
        }
    )
    for name, taken in seconds.items():
        yield f"{taken:8.3f} s  {taken / seconds['import pandas']:5.2f} x  {name}"

"""Reports of one's own: each file of a folder named in the settings is one report, like those of this package."""

from __future__ import annotations

import importlib.util
import re
import sys
from inspect import signature
from pathlib import Path
from types import ModuleType

from ucm_analytics import config
from ucm_analytics.errors import SettingError

VARIABLE = "UCM_REPORTS"
_WRITE_IT = "give it TITLE, QUESTION and build(context), like the reports of the package"


def report_files(folder: str | Path | None = None) -> dict[str, Path]:
    """Files of one's own reports by the name of the report; no file is read.

    Parameters
    ----------
    folder : str or Path, optional
        Where they lie; without it `config.reports_folder()`.

    Returns
    -------
    dict
        ``my_report.py`` is the report ``my-report``; files that begin with an underscore are none.

    Raises
    ------
    SettingError
        There is no such folder, or a file's name cannot be a report's.
    """
    named = folder or config.reports_folder()
    if not named:
        return {}
    path = Path(named)
    try:
        found = sorted(path.iterdir())
    except OSError as error:
        raise SettingError(
            f"the folder of reports {path} is not there ({error.strerror})", hint=f"make it, or change {VARIABLE}"
        ) from error
    files = [file for file in found if file.suffix == ".py" and not file.name.startswith(("_", "."))]
    for file in files:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", file.stem):
            raise SettingError(
                f"{file} cannot be a report by this name", hint="use small letters, digits and underscores only"
            )
    return {file.stem.replace("_", "-"): file for file in files}


def load_report(path: Path) -> ModuleType:
    """Run a report file, as it is now, and return it as a module.

    Raises
    ------
    SettingError
        The file does not run, or it lacks what a report has.
    """
    name = f"ucm_analytics_own_report_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise SettingError(f"{path} is no Python file", hint=_WRITE_IT)
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up while it runs
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise SettingError(
            f"the report file {path} does not run ({type(error).__name__}: {error})", hint="mend the file"
        ) from error
    texts = all(isinstance(getattr(module, text, None), str) for text in ("TITLE", "QUESTION"))
    build = getattr(module, "build", None)
    if not (texts and callable(build) and len(signature(build).parameters) == 1):
        raise SettingError(f"the report file {path} is not complete", hint=_WRITE_IT)
    return module

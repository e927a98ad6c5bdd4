"""The explorer as a page: Voilà on this computer, for people who never see Python."""

from __future__ import annotations

import logging
import os
import re
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ucm_analytics.errors import SettingError

if TYPE_CHECKING:
    from ucm_analytics.store import Store

_PAGE: Final = Path(__file__).parent / "page"
_TEMPLATE: Final = "ucm"
_LOOPBACK: Final = "127.0.0.1"
_EXTENSIONS: Final = ("jupyterlab-plotly", "@jupyter-widgets/jupyterlab-manager", "@voila-dashboards/widgets-manager8")
"""Of all that JupyterLab has: what draws charts and controls."""

_IDLE_S: Final = 3600
"""A kernel that nobody looks at any more is stopped after so long [s]."""

_SECRET: Final = re.compile(r"passw|secret|token|credential|api_?key|private", re.IGNORECASE)


def serve(store: Store, *, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve the explorer on loopback until the process is interrupted or told to end.

    Every visitor gets a kernel, which runs the page's notebook and nothing else: the page shows no code and
    the server accepts none. Kernels start without the variables of the environment that hold secrets. The
    address carries a token without which the page is not shown.

    Parameters
    ----------
    store : Store
        Where the calls are.
    port : int
        Port to listen on; another near it if it is taken, any that is free if it is 0.
    on_ready : callable
        Gets the address of the page.

    Raises
    ------
    NoData
        The store holds no calls.
    SettingError
        There is no Voilà.
    """
    store.check()
    application, kernels = _classes()
    # that somebody asks for what is not there is no news
    logging.getLogger("tornado").setLevel(logging.ERROR)
    settings: dict[str, Any] = {
        "Voila": {
            "ip": _LOOPBACK,
            "port": port or _free_port(),
            "auto_token": True,
            "log_level": logging.ERROR,
            "config_file_paths": [],
            "notebook_path": str(_PAGE / "calls.ipynb"),
        },
        "VoilaConfiguration": {
            "template": _TEMPLATE,
            "allow_template_override": "NO",
            "allow_theme_override": "NO",
            "file_allowlist": [],  # no file beside the notebook
            "extension_allowlist": list(_EXTENSIONS),
            "show_tracebacks": False,
            "multi_kernel_manager_class": kernels,
        },
        "MappingKernelManager": {"cull_idle_timeout": _IDLE_S, "cull_interval": 60},
    }
    with _environment(store):
        server = application(on_ready, settings)
        server.initialize([])
        server.start()


def _classes() -> tuple[Any, Any]:
    """Voilà, and what keeps its kernels, as this page needs them."""
    try:
        from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
        from traitlets.config import Config
        from voila.app import Voila
    except ImportError as error:
        raise SettingError(
            f"the page needs the package {error.name}, which is not installed",
            hint='install it with pip install "ucm-analytics[explorer]"',
        ) from None

    class Page(Voila):  # type: ignore[misc]
        """Voilà that says when it listens, where it would open a browser."""

        def __init__(self, on_ready: Callable[[str], None], settings: dict[str, Any]) -> None:
            super().__init__(config=Config(settings))
            self.on_ready = on_ready

        def launch_browser(self) -> None:
            self.on_ready(self.display_url)

    class Kernels(AsyncMappingKernelManager):
        """Kernels that keep to themselves what their libraries write as they end; errors arrive as messages."""

        async def start_kernel(self, **options: Any) -> str:  # type: ignore[override]
            return await super().start_kernel(stderr=subprocess.DEVNULL, **options)

    return Page, Kernels


def _free_port() -> int:
    """A port that is free now; Voilà takes another if it is not any more, and cannot tell which one 0 became."""
    with socket.socket() as listener:
        listener.bind((_LOOPBACK, 0))
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def _environment(store: Store) -> Iterator[None]:
    """Variables for the kernels and for Voilà: the store, the template, figures as data; and no secret."""
    before = dict(os.environ)
    ours = {
        "UCM_DATA": str(store.path.absolute()),
        "JUPYTER_PATH": os.pathsep.join(filter(None, [str(_PAGE), before.get("JUPYTER_PATH", "")])),
        "PLOTLY_RENDERER": "plotly_mimetype",
    }
    for name in filter(_SECRET.search, before):
        del os.environ[name]
    os.environ.update(ours)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

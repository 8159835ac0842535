"""LightGBM, or what to install where it cannot start."""

from __future__ import annotations

import threading
from typing import Any

from agentcal.errors import ConfigError

# A thread that waits for an import that fails in another one is given half a module.
_IMPORTING = threading.Lock()


def lightgbm() -> Any:
    """The module ``lightgbm``, loaded when first asked for.

    Raises :class:`ConfigError` where the OpenMP runtime that it links to is missing, as on slim
    images and on a fresh macOS.
    """
    try:
        with _IMPORTING:
            import lightgbm as module  # noqa: PLC0415 - heavy
    except OSError as error:
        raise ConfigError(
            f"LightGBM cannot start: {error}. It needs the OpenMP runtime of the system: "
            "apt-get install libgomp1 (Debian), brew install libomp (macOS)"
        ) from error
    return module

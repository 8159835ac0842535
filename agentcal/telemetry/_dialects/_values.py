"""The attributes of a span, read with the doubt that other people's data deserve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agentcal._fields import as_text, name_of, not_negative
from agentcal._json import NotJSON, decode
from agentcal.telemetry import _names_in as i
from agentcal.trajectory import Usage

_OPENINGS = ("{", "[")


class Values:
    """Attributes by name; the first of several names that is there counts.

    ``cut_off`` counts JSON that did not parse: most often a limit has cut it.
    """

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.attributes = attributes
        self.cut_off = 0

    def get(self, *names: str) -> Any:
        """The value as it is; ``None`` where there is none or a tracer has masked it."""
        found = (self.attributes.get(name) for name in names)
        return next((v for v in found if v is not None and v != i.OI_REDACTED), None)

    def text(self, *names: str) -> str:
        """The value as text, empty where there is none."""
        return as_text(plain(self.get(*names)))

    def name(self, *names: str) -> str | None:
        """A name or an id, ``None`` where there is none."""
        return name_of(plain(self.get(*names)))

    def count(self, *names: str) -> int | None:
        """A whole number of at least 0."""
        found = not_negative(self.get(*names))
        return None if found is None else int(found)

    def json(self, *names: str) -> Any:
        """What the JSON text holds; a value that is no text is plain already."""
        value = self.get(*names)
        if not isinstance(value, str):
            return plain(value)
        try:
            return decode(value)[0]
        except NotJSON:
            self.cut_off += value.lstrip().startswith(_OPENINGS)
            return None

    def either(self, *names: str) -> Any:
        """What the text holds if it is a JSON object or list, else the text."""
        return opened(self.get(*names))

    def usage(
        self, came: tuple[str, ...], went: tuple[str, ...], thought: tuple[str, ...]
    ) -> Usage | None:
        """Token counts under these names, if there are any."""
        found = Usage(
            input_tokens=self.count(*came),
            output_tokens=self.count(*went),
            reasoning_tokens=self.count(*thought),
        )
        return None if found == Usage() else found


def opened(value: Any) -> Any:
    """A JSON object or list that is written as text, as what it is; anything else as it stands."""
    if isinstance(value, str) and value.lstrip().startswith(_OPENINGS):
        try:
            return decode(value)[0]
        except NotJSON:
            return value
    return plain(value)


def plain(value: Any) -> Any:
    """The SDK keeps sequences as tuples; everybody else knows lists."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return value


def listed(value: Any) -> list[Any]:
    """The value if it is a list, else nothing."""
    return value if isinstance(value, list) else []


def fields(value: Any) -> dict[str, Any]:
    """The value if it is an object, else nothing."""
    return value if isinstance(value, dict) else {}

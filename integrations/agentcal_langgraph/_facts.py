"""What a model call and the configuration of a graph say about an agent."""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import JsonValue

from agentcal import ToolDeclaration
from agentcal_langgraph._declared import shape_of
from agentcal_langgraph._messages import declarations

_FRAMEWORK = ("langgraph_", "ls_", "lc_", "checkpoint_", "agentcal_", "__")
_TAKEN = frozenset({"thread_id", "run_id", "task_id"})


def model_in(metadata: Mapping[str, Any], params: Mapping[str, Any]) -> str | None:
    """The model that is asked, by the name that the provider knows."""
    named = (metadata.get("ls_model_name"), *(params.get(k) for k in ("model", "model_name")))
    return next((name for name in named if isinstance(name, str) and name), None)


def tools_in(params: Mapping[str, Any], known: Container[str | None]) -> list[ToolDeclaration]:
    """The tools that the model is offered, save those whose names are ``known``.

    Those in a shape that nobody can read are left out.
    """
    offered = params.get("tools") or params.get("functions")
    if not isinstance(offered, (list, tuple)):
        return []
    new = (shape for tool in offered if _name(tool) not in known for shape in _shapes(tool))
    shapes = [shape for shape in new if _name(shape) not in known]
    return declarations(shapes) if shapes else []


def carried(metadata: Mapping[str, Any]) -> dict[str, JsonValue]:
    """What the program says about its run, to find it again; not what frameworks add."""
    return {
        key: value
        for key, value in metadata.items()
        if isinstance(value, (str, int, float, bool))
        and key not in _TAKEN
        and not key.startswith(_FRAMEWORK)
    }


def _name(tool: Any) -> str | None:
    """The name, where it is quickly found: this is asked for at every turn."""
    if isinstance(tool, Mapping):
        function = tool.get("function")
        found = function.get("name") if isinstance(function, Mapping) else tool.get("name")
    else:
        found = getattr(tool, "name", None)
    return found if isinstance(found, str) else None


def _shapes(tool: Any) -> list[Any]:
    """As the readers of recorded runs know them; Gemini groups tools, Bedrock nests them."""
    if not isinstance(tool, Mapping):
        return [_converted(tool)]
    grouped = tool.get("function_declarations")
    if isinstance(grouped, (list, tuple)):
        return list(grouped)
    spec = tool.get("toolSpec")
    if isinstance(spec, Mapping):
        schema = spec.get("inputSchema")
        return [{**spec, "parameters": schema.get("json") if isinstance(schema, Mapping) else {}}]
    return [dict(tool)]


def _converted(tool: Any) -> Any:
    if isinstance(tool, BaseTool):
        return shape_of(tool)
    try:
        return convert_to_openai_tool(tool)
    except Exception:  # a provider's own object; the reader leaves it out
        return tool

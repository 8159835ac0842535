"""What readers are put together from: messages and tool declarations as agents' logs hold them.

For readers of something else than files (spans, for one), and for formats of your own.
"""

from __future__ import annotations

from agentcal.formats._declarations import declarations
from agentcal.formats._langchain_message import to_chat
from agentcal.formats._message import spoken, to_result, to_step
from agentcal.formats._shapes import is_langchain

__all__ = ["declarations", "is_langchain", "spoken", "to_chat", "to_result", "to_step"]

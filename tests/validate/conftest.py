from __future__ import annotations

from exported import checkpoint, config, exported, tiny

__all__ = ["checkpoint", "config", "exported", "tiny"]

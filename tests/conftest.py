from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def no_kept_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no test use the cache of whoever runs it: costs kept there would decide on widths."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")

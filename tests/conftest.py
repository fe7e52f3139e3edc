from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is slow; no test may fail for that.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(autouse=True)
def no_kept_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets no test use the cache of whoever runs it: costs kept there would decide on widths."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/nowhere")

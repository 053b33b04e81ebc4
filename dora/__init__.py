"""The five DORA metrics from delivery facts.

    import dora

    d = dora.open("dora.toml")
    q = d.window("2026-H1", by="week").service("checkout")
    q.overview()
    q.lead_time().plot()

Nothing heavy is imported until it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dora.delivery import Delivery
    from dora.delivery import open_delivery as open
    from dora.rules import Rules
    from dora.samples import sample
    from dora.windows import Window

__all__ = ["Delivery", "Rules", "Window", "open", "sample"]

_FOUND_IN = {
    "Delivery": ("dora.delivery", "Delivery"),
    "Rules": ("dora.rules", "Rules"),
    "Window": ("dora.windows", "Window"),
    "open": ("dora.delivery", "open_delivery"),
    "sample": ("dora.samples", "sample"),
}


def __getattr__(name: str) -> Any:
    if name not in _FOUND_IN:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _FOUND_IN[name]
    found = getattr(import_module(module), attribute)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

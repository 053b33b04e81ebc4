"""Records as people and files want them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_SECONDS = ("seconds", "coding", "pickup", "review", "merge_to_deploy")
_FLAGS = ("failed", "pending", "is_bot", "open", "decides")


def tidy(frame: pd.DataFrame) -> pd.DataFrame:
    """Records as people and files want them: aware times, seconds, yes and no, None."""
    import pandas as pd

    for name in frame.columns:
        values = frame[name]
        if name.endswith("_at"):
            frame[name] = pd.to_datetime(values).astype("datetime64[us]").dt.tz_localize("UTC")
        elif name in _SECONDS:
            frame[name] = values.astype("Int64").astype("Float64") / 1_000_000
        elif name in _FLAGS:
            frame[name] = values.astype("boolean")
        elif name == "pull_request":
            frame[name] = values.astype("Int64")
        else:
            frame[name] = values.astype(object).where(values.notna(), None)
    return frame

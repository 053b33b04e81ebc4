"""One metric by the formulas of several products, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from dora import words
from dora.rules.presets import PRESETS, Preset
from dora.words import presets as preset_words

if TYPE_CHECKING:
    import pandas as pd

    from dora.metrics.result import Result

YOURS = "yours"
"""What the rules in force are called where no preset has them."""


@dataclass(frozen=True, slots=True)
class Blade:
    """A metric by one preset.

    Attributes:
        preset: The preset's name; `yours` for the rules in force.
        product: What the product is called.
        result: What comes of its rules; None where the product has no such metric.
        definition: What it counts, in a sentence.
        not_reproduced: What of the product's formula these rules do not reproduce.
        source: Where the product says so.
    """

    preset: str
    product: str
    result: Result | None
    definition: str
    not_reproduced: str | None
    source: str | None


@dataclass(frozen=True, eq=False, repr=False)
class Fan:
    """Why does our number differ from theirs? The same facts by every preset.

    Attributes:
        base: The result by the rules in force.
        blades: One for each preset, and one for the rules in force where none has them.
    """

    base: Result
    blades: tuple[Blade, ...]

    @classmethod
    def of(cls, base: Result) -> Fan:
        """Ask the metric of a result, for its window and first scope, by every preset."""
        blades = [_blade(base, preset) for preset in PRESETS]
        if all(preset.rules != base.rules for preset in PRESETS):
            own = words.rules_text(base.rules)
            blades.insert(0, Blade(YOURS, YOURS, base, own, None, None))
        return cls(base, tuple(blades))

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a preset.

        Columns: metric, preset, product, value, unit, n, low, high (95 % interval), reason (why
        there is no value), definition (what the product counts), not_reproduced (what of its
        formula is not), source (where it says so).
        """
        import pandas as pd

        rows = [_row(self.base, blade) for blade in self.blades]
        frame = pd.DataFrame(rows, columns=list(_row(self.base, self.blades[0])), dtype=object)
        numbers = dict.fromkeys(("value", "low", "high"), "Float64") | {"n": "Int64"}
        return frame.astype(numbers)

    @property
    def shown(self) -> pd.DataFrame:
        """The frame for reading: a value with its interval, and each preset's sentences."""
        import pandas as pd

        rows = [
            {
                "preset": blade.preset,
                "value (95 % interval)": blade.result.summary if blade.result else words.DASH,
                "definition": blade.definition,
                "not reproduced": blade.not_reproduced or "",
                "source": blade.source or "",
            }
            for blade in self.blades
        ]
        return pd.DataFrame(rows, dtype=object)

    def __repr__(self) -> str:
        lines = (
            f"{b.preset}: {b.result.summary if b.result else preset_words.no_metric(b.product)}"
            for b in self.blades
        )
        return "\n".join([f"{self.base.metric.title} by every preset", *lines])

    def _repr_html_(self) -> str:
        title = f"{self.base.metric.title} by every preset"
        caption = f"{self.base.question.scopes[0].label}, {words.window(self.base.window)}"
        return (
            f"<p><b>{escape(title)}</b><br><small>{escape(caption)}</small></p>"
            f"{words.html_table(self.frame)}"
        )


def _blade(base: Result, preset: Preset) -> Blade:
    definition = preset.definitions.get(base.name)
    result = None
    if definition is not None:
        result = base.metric.ask(base.question.pooled().under(preset.rules))
    lacking = preset.lacking.get(base.name)
    told = definition or preset_words.no_metric(preset.title)
    return Blade(preset.name, preset.title, result, told, lacking, preset.source)


def _row(base: Result, blade: Blade) -> dict[str, object]:
    now = blade.result
    return {
        "metric": base.name,
        "preset": blade.preset,
        "product": blade.product,
        "value": now.value if now else None,
        "unit": base.unit,
        "n": now.n if now else 0,
        "low": now.low if now else None,
        "high": now.high if now else None,
        "reason": now.reason if now else preset_words.no_metric(blade.product),
        "definition": blade.definition,
        "not_reproduced": blade.not_reproduced,
        "source": blade.source,
    }

"""Other products' formulas as words."""

from __future__ import annotations


def no_metric(product: str) -> str:
    """Why a product has no number here."""
    return f"{product} has no such metric"

"""The compliance pack: the evidence as files, and a manifest of their hashes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from dora import frames
from dora.errors import UsageError

if TYPE_CHECKING:
    from dora.release.base import Answer

MANIFEST = "manifest.csv"


def write(answer: Answer, folder: Path) -> list[Path]:
    """Write every deployment, the exceptions and the shares as CSV, and the manifest last.

    Args:
        answer: The answer of the analysis `evidence`.
        folder: Where to; it is made where it is not there.

    Returns:
        The files; `manifest.csv` has the name, bytes and SHA-256 of each other one.

    Raises:
        UsageError: They cannot be written there.
    """
    import pandas as pd

    told = answer.evidence
    parts = {
        "deployments.csv": told,
        "exceptions.csv": told[told["exceptions"] != ""],
        "controls.csv": answer.frame,
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made: {error.strerror}.", hint="Name a folder to write to."
        ) from None
    for name, frame in parts.items():
        frames.write(frame, folder / name, "csv")
    contents = [(name, (folder / name).read_bytes()) for name in parts]
    rows = [(name, len(held), hashlib.sha256(held).hexdigest()) for name, held in contents]
    manifest = pd.DataFrame(rows, columns=["file", "bytes", "sha256"])
    frames.write(manifest, folder / MANIFEST, "csv")
    return [folder / name for name in (*parts, MANIFEST)]

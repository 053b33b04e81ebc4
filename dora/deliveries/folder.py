"""Into a folder: a report for each period, and the newest at its top; the last good one stays."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from dora import frames, report
from dora.config.deliver import Folder
from dora.deliveries import TryAgain
from dora.errors import UsageError

if TYPE_CHECKING:
    from dora.deliveries import Parcel, Sent


def deliver(parcel: Parcel, sent: Sent) -> str:
    """Write the period's files, whole or not at all, then the newest ones.

    Raises:
        TryAgain: They cannot be written; what was there before is as it was.
    """
    wanted = parcel.delivery
    assert isinstance(wanted, Folder)
    sent()  # writing the same files again changes nothing
    folder = parcel.base / Path(wanted.path).expanduser()
    period = folder / f"{parcel.window.start}_{parcel.window.end}"
    partial = folder / f".{period.name}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        _fill(parcel, wanted, partial)
        shutil.rmtree(period, ignore_errors=True)
        partial.rename(period)
        for file in sorted(period.iterdir()):
            with frames.whole(folder / file.name) as newest:
                shutil.copyfile(file, newest)
        _forget(folder, wanted.keep)
    except (OSError, UsageError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        said = error.strerror if isinstance(error, OSError) else error.message
        raise TryAgain(
            f"{period} cannot be written: {said}", hint="Make room there, or name another folder."
        ) from error
    return f"written to {period}"


def _fill(parcel: Parcel, wanted: Folder, place: Path) -> None:
    for form in wanted.formats:
        report.render(parcel.contents, place / f"report.{form}")
    for name, picture in parcel.contents.pictures.items():
        (place / f"{name}.png").write_bytes(picture.png)


def _forget(folder: Path, keep: int | None) -> None:
    """Remove the oldest periods, beyond those that are kept."""
    if keep is None:
        return
    periods = sorted(p for p in folder.glob("????-??-??_????-??-??") if p.is_dir())
    for old in periods[:-keep]:
        shutil.rmtree(old)

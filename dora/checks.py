"""What `dora check` looks at: the installation, every source and the store."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING

from dora import connector
from dora.connector import Finding
from dora.errors import DoraError

if TYPE_CHECKING:
    from dora.config import Config

DISTRIBUTION = "dora-metrics"
PACKAGES = ("dora", "connectors")


def findings(config: Config) -> Iterator[Finding]:
    """Everything worth saying about a configuration and where it runs, one line at a time."""
    yield from installation()
    yield Finding("ok", "configuration", f"{len(config.sources)} sources, no faults")
    for source in config.sources:
        yield from _source(config, source.name)
    yield from _store(config.store)


def installation() -> Iterator[Finding]:
    """Whether `dora` and `connectors` are this distribution's; several packages use these names."""
    owners = metadata.packages_distributions()
    clean = True
    for package in PACKAGES:
        others = sorted(set(owners.get(package, [])) - {DISTRIBUTION})
        origin = _origin(package)
        if others:
            clean = False
            yield Finding(
                "error",
                "installation",
                f"{', '.join(others)} installs a package {package!r} as well; {origin} is in use",
                f"Give {DISTRIBUTION} an environment of its own: pipx install {DISTRIBUTION}.",
            )
    for script in metadata.entry_points(group="console_scripts", name="dora"):
        owner = script.dist.name if script.dist is not None else DISTRIBUTION
        if owner != DISTRIBUTION:
            clean = False
            yield Finding(
                "warning",
                "installation",
                f"{owner} installs a command 'dora' as well",
                "Use `python -m dora`, or give this package an environment of its own.",
            )
    if clean:
        yield Finding(
            "ok", "installation", f"{DISTRIBUTION} alone provides {' and '.join(PACKAGES)}"
        )


def _origin(package: str) -> str:
    spec = util.find_spec(package)
    return str(spec.origin) if spec is not None else "none"


def _source(config: Config, name: str) -> Iterator[Finding]:
    source = next(s for s in config.sources if s.name == name)
    try:
        yield from connector.load(source.kind)(
            source.name, source.options, base=config.base
        ).check()
    except DoraError as error:
        yield Finding("error", source.name, error.message, error.hint)


def _store(path: Path) -> Iterator[Finding]:
    from dora import store

    if not path.exists():
        yield Finding("warning", "store", f"there is none at {path} yet", "Run `dora sync`.")
        return
    try:
        connection = store.connect(path)
    except DoraError as error:
        yield Finding("error", "store", error.message, error.hint)
        return
    try:
        doubled = {table: n for table, n in store.duplicates(connection).items() if n}
    finally:
        connection.close()
    if doubled:
        said = ", ".join(f"{n} in {table}" for table, n in doubled.items())
        yield Finding(
            "error", "store", f"facts stand twice: {said}", "Run `dora sync --full` to read anew."
        )
    else:
        yield Finding("ok", "store", f"{path} is readable and holds no fact twice")

"""Fetch the contracts that tests hold us to, anew: `python tests/contracts/update.py`.

GitHub publishes its GraphQL schema and its OpenAPI description as npm packages under the MIT
licence. The schema is kept as it is, the description cut to the answers of the paths we ask for.
Needs npm. What is written depends on the packages alone; their versions stand in VERSIONS.json.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "github"
PACKAGES = ("@octokit/graphql-schema", "@octokit/openapi")

_REPOSITORY = "/repos/{owner}/{repo}"
_ACTIONS = f"{_REPOSITORY}/actions"
PATHS = (
    "/rate_limit",
    "/user",
    "/app/installations/{installation_id}/access_tokens",
    _REPOSITORY,
    f"{_REPOSITORY}/deployments/{{deployment_id}}",
    f"{_ACTIONS}/workflows",
    f"{_ACTIONS}/workflows/{{workflow_id}}/runs",
    f"{_ACTIONS}/runs",
    f"{_ACTIONS}/runs/{{run_id}}",
    f"{_ACTIONS}/runs/{{run_id}}/attempts/{{attempt_number}}",
    f"{_ACTIONS}/runs/{{run_id}}/attempts/{{attempt_number}}/jobs",
    f"{_ACTIONS}/runs/{{run_id}}/jobs",
)
"""The REST paths that the connector asks for."""

_TALK = {"description", "summary", "example", "examples", "externalDocs", "x-github", "x-webhooks"}


def main() -> None:
    """Fetch, cut and write."""
    FOLDER.mkdir(exist_ok=True)
    versions = {}
    with tempfile.TemporaryDirectory() as scratch:
        for package in PACKAGES:
            files = _packed(package, Path(scratch))
            versions[package] = json.loads(files["package.json"])["version"]
            licence = next(text for name, text in files.items() if name.startswith("LICENSE"))
            name = package.rpartition("/")[2]
            (FOLDER / f"LICENSE.{name}").write_bytes(licence.strip() + b"\n")
            if name == "graphql-schema":
                _write("schema.graphql.gz", files["schema.graphql"])
            else:
                whole = json.loads(files["generated/api.github.com.json"])
                _write("openapi.json.gz", json.dumps(cut(whole), sort_keys=True).encode())
    (FOLDER / "VERSIONS.json").write_text(json.dumps(versions, indent=2) + "\n")


def _packed(package: str, scratch: Path) -> dict[str, bytes]:
    """The small files of a package as it is published, by their names."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", package],
        cwd=scratch,
        check=True,
        capture_output=True,
        text=True,
    )
    wanted = ("package.json", "LICENSE", "LICENSE.md", "schema.graphql", "api.github.com.json")
    with tarfile.open(scratch / packed.stdout.split()[-1]) as archive:
        found = {}
        for member in archive:
            content = archive.extractfile(member) if member.name.endswith(wanted) else None
            if content is not None:
                found[member.name.removeprefix("package/")] = content.read()
    return found


def cut(whole: dict[str, Any]) -> dict[str, Any]:
    """The description of `PATHS`, with whatever they refer to, without the prose."""
    paths = {path: _quiet(whole["paths"][path]) for path in PATHS}
    components: dict[str, dict[str, Any]] = {}
    pending = list(_references(paths))
    while pending:
        kind, name = pending.pop()
        if name not in components.setdefault(kind, {}):
            part = components[kind][name] = _quiet(whole["components"][kind][name])
            pending += _references(part)
    return {"openapi": whole["openapi"], "paths": paths, "components": components}


def _quiet(node: Any, *, named: bool = False) -> Any:
    """A description without what is said for people; names of properties are no such words."""
    if isinstance(node, list):
        return [_quiet(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _quiet(value, named=key in ("properties", "schemas") and not named)
        for key, value in node.items()
        if named or key not in _TALK
    }


def _references(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, list):
        for one in node:
            yield from _references(one)
    elif isinstance(node, dict):
        target = node.get("$ref")
        if isinstance(target, str):
            _, _, kind, name = target.split("/")
            yield kind, name
        for one in node.values():
            yield from _references(one)


def _write(name: str, content: bytes) -> None:
    (FOLDER / name).write_bytes(gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    main()

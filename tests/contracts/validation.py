"""Holding REST answers against GitHub's OpenAPI description."""

from __future__ import annotations

from functools import cache
from typing import Any

from jsonschema import Draft4Validator

from tests.contracts.reading import github_openapi


def github_faults(template: str, body: Any, *, method: str = "get", status: int = 200) -> list[str]:
    """Where an answer differs from what GitHub promises for a path.

    Raises:
        KeyError: GitHub promises nothing for that path and status.
    """
    errors = _validator(template, method, status).iter_errors(body)
    return [f"{'/'.join(map(str, error.path))}: {error.message[:200]}" for error in errors]


@cache
def _validator(template: str, method: str, status: int) -> Draft4Validator:
    answers = _plain()["paths"][template][method]["responses"]
    answer = answers[str(status)]
    if "$ref" in answer:
        answer = _plain()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    schema = answer["content"]["application/json"]["schema"]
    whole = {"allOf": [schema], "components": _plain()["components"]}
    return Draft4Validator(whole, format_checker=Draft4Validator.FORMAT_CHECKER)


@cache
def _plain() -> dict[str, Any]:
    """The description in the words of JSON Schema, which has `null` for OpenAPI's `nullable`."""
    described: dict[str, Any] = _without_nullable(github_openapi())
    return described


def _without_nullable(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_nullable(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _without_nullable(one) for name, one in node.items() if name != "nullable"}
    return {"anyOf": [{"type": "null"}, kept]} if node.get("nullable") is True else kept

"""The contracts as they are vendored beside this file, each read once."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path
from typing import Any

from graphql import GraphQLSchema, build_schema

_GITHUB = Path(__file__).parent / "github"


@cache
def github_schema() -> GraphQLSchema:
    """GitHub's GraphQL schema."""
    text = gzip.decompress((_GITHUB / "schema.graphql.gz").read_bytes()).decode()
    return build_schema(text, assume_valid=True)


@cache
def github_openapi() -> dict[str, Any]:
    """GitHub's OpenAPI description, cut to what we ask for."""
    described: dict[str, Any] = json.loads(
        gzip.decompress((_GITHUB / "openapi.json.gz").read_bytes())
    )
    return described

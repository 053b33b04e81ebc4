"""What a query may ask for, and what it costs, by the rules GitHub documents.

Every list takes `first` or `last`, from 1 to 100. Nodes are counted as if every list were full; no
query may reach more than 500,000. A query costs a point for every hundred lists that it would open
that way, and one at least.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from tests.forges.github_host.values import GraphQLError

MOST_ROWS = 100
MOST_NODES = 500_000


@dataclass(slots=True)
class Cost:
    """What a query would reach if every list were full.

    Attributes:
        nodes: Rows.
        lists: Lists that would be opened.
    """

    nodes: int = 0
    lists: int = 0

    @property
    def points(self) -> int:
        """What it costs."""
        return max(1, round(self.lists / 100))


def operation(document: DocumentNode) -> OperationDefinitionNode:
    """The one operation of a query."""
    (found,) = (one for one in document.definitions if isinstance(one, OperationDefinitionNode))
    return found


def cost(schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]) -> Cost:
    """What a valid query costs with some variables.

    Raises:
        GraphQLError: It asks for a list without saying how much of it, or for too much.
    """
    asked = operation(document)
    counted = _Counting(schema, document, variables)
    root = schema.query_type
    assert root is not None
    counted.add(asked.selection_set, root, 1)
    if counted.cost.nodes > MOST_NODES:
        raise GraphQLError(
            "MAX_NODE_LIMIT_EXCEEDED",
            f"This query requests up to {counted.cost.nodes:,} possible nodes which exceeds the"
            f" maximum limit of {MOST_NODES:,}.",
        )
    return counted.cost


class _Counting:
    """Walks a query."""

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            one.name.value: one
            for one in document.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self.cost = Cost()

    def add(self, selection: SelectionSetNode | None, owner: Any, times: int) -> None:
        """Count what is asked of a type that is reached so many times."""
        for node, parent in self._fields(selection, owner):
            field = getattr(parent, "fields", {}).get(node.name.value)
            if field is None:  # __typename
                continue
            result = get_named_type(field.type)
            arguments = self._arguments(node)
            if _is_list(result):
                rows = _rows(node, arguments)
                self.cost.lists += times
                self.cost.nodes += times * rows
                self.add(node.selection_set, result, times * rows)
            else:
                several = (
                    len(arguments["ids"])
                    if node.name.value == "nodes" and "ids" in arguments
                    else 1
                )
                self.add(node.selection_set, result, times * several)

    def _arguments(self, node: FieldNode) -> dict[str, Any]:
        """Those that say how much is asked for, as numbers and lists."""
        found: dict[str, Any] = {}
        for one in node.arguments or ():
            if isinstance(one.value, VariableNode):
                found[one.name.value] = self._variables.get(one.value.name.value)
            elif isinstance(one.value, IntValueNode):
                found[one.name.value] = int(one.value.value)
            elif isinstance(one.value, ListValueNode):
                found[one.name.value] = list(one.value.values)
        return found

    def _included(self, node: SelectionNode) -> bool:
        """Whether a part is asked for, where a variable decides."""
        for directive in node.directives or ():
            told = directive.arguments[0].value if directive.arguments else None
            if isinstance(told, VariableNode):
                wanted = bool(self._variables.get(told.name.value))
                if wanted is not (directive.name.value == "include"):
                    return False
        return True

    def _fields(
        self, selection: SelectionSetNode | None, owner: Any
    ) -> Iterator[tuple[FieldNode, Any]]:
        for one in selection.selections if selection else ():
            if not self._included(one):
                continue
            if isinstance(one, FieldNode):
                yield one, owner
            elif isinstance(one, InlineFragmentNode):
                condition = one.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else owner
                yield from self._fields(one.selection_set, inner)
            elif isinstance(one, FragmentSpreadNode):
                fragment = self._fragments[one.name.value]
                inner = self._schema.get_type(fragment.type_condition.name.value)
                yield from self._fields(fragment.selection_set, inner)


def _is_list(kind: Any) -> bool:
    return isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection")


def _rows(node: FieldNode, arguments: Mapping[str, Any]) -> int:
    name = node.name.value
    told = [arguments[one] for one in ("first", "last") if arguments.get(one) is not None]
    if not told:
        raise GraphQLError(
            "MISSING_PAGINATION_BOUNDARIES",
            f"You must provide a `first` or `last` value to properly paginate the `{name}`"
            " connection.",
        )
    rows = int(told[0])
    if not 0 <= rows <= MOST_ROWS:
        raise GraphQLError(
            "EXCESSIVE_PAGINATION",
            f"Requesting {rows} records on the `{name}` connection exceeds the `first` limit of"
            f" {MOST_ROWS} records.",
        )
    return rows

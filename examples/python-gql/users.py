"""Keystead from Python: a client, pages as an iterator, and errors by their code."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from gql import Client, gql
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

SCHEMA = Path(__file__).parents[2] / "schema.graphql"

USERS = gql("""
    query Users($filter: UserFilter, $first: Int!, $after: String) {
      users(filter: $filter, first: $first, after: $after) {
        nodes { id username kind enabled }
        pageInfo { endCursor hasNextPage }
        totalCount
      }
    }
""")


def over_http(url: str, key: str | None) -> Client:
    """A client that checks documents against schema.graphql before it sends them."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = HTTPXAsyncTransport(url=f"{url}/graphql", headers=headers)
    return Client(transport=transport, schema=SCHEMA.read_text(encoding="utf-8"))


def over_websocket(url: str, key: str | None) -> Client:
    """The same over graphql-transport-ws, for subscriptions."""
    payload = {"Authorization": f"Bearer {key}"} if key else {}
    transport = WebsocketsTransport(
        url=f"{url.replace('http', 'ws', 1)}/graphql",
        init_payload=payload,
        subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
    )
    return Client(transport=transport)


def codes(error: TransportQueryError) -> list[str]:
    """The codes of an error of the API."""
    return [entry["extensions"]["code"] for entry in error.errors or []]


async def all_users(session: Any, user_filter: dict[str, Any] | None = None, page: int = 50) -> AsyncIterator[dict[str, Any]]:
    """Every user the key may see, page by page."""
    after = None
    while True:
        answer = await session.execute(
            USERS, variable_values={"filter": user_filter, "first": page, "after": after}
        )
        for user in answer["users"]["nodes"]:
            yield user
        if not answer["users"]["pageInfo"]["hasNextPage"]:
            return
        after = answer["users"]["pageInfo"]["endCursor"]

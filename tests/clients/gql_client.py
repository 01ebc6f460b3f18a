"""Checks the Python client gql over WebSocket, by its defaults and with each protocol: python3 gql_client.py

KURULTAI_URL is the address of the server, KURULTAI_TOKEN the token of an editor.
"""

import asyncio
import os

from gql import Client, gql
from gql.transport.exceptions import TransportError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport

ADDRESS = os.environ["KURULTAI_URL"]
TOKEN = os.environ["KURULTAI_TOKEN"]
URL = ADDRESS.replace("http", "ws", 1) + "/graphql"

CHANGES = gql("query($since: String) { changes(since: $since, first: 100) { pageInfo { hasNextPage endCursor } } }")
CREATE = gql("mutation($input: CreatePersonInput!) { createPerson(input: $input) { errors { path message } } }")
CHANGED = gql(
    "subscription($since: String) { changed(types: [PERSON], since: $since) { cursor change { record { ... on Person { slug } } } } }"
)


# the description of the schema is larger than the 1 MiB that a message may have by default
MAX_MESSAGE_BYTES = 4 * 1024 * 1024


def transport(token=None, **options):
    payload = {"Authorization": f"Bearer {token}"} if token else {}
    connection = {"max_size": MAX_MESSAGE_BYTES}
    return WebsocketsTransport(url=URL, init_payload=payload, connect_args=connection, **options)


async def latest_cursor(session):
    """The cursor of the latest change."""
    cursor = None
    while True:
        page = (await session.execute(CHANGES, variable_values={"since": cursor}))["changes"]["pageInfo"]
        cursor = page["endCursor"] or cursor
        if not page["hasNextPage"]:
            return cursor


async def check(name, **options):
    """Writes, follows the change, and resumes after a break."""
    async with Client(transport=transport(TOKEN, **options), fetch_schema_from_transport=True) as session:
        cursor = await latest_cursor(session)

        async def create(slug):
            person = {"slug": slug, "name": {"en": slug}}
            result = await session.execute(CREATE, variable_values={"input": person})
            assert result["createPerson"]["errors"] == [], result

        async def receive(count):
            nonlocal cursor
            slugs = []
            async for result in session.subscribe(CHANGED, variable_values={"since": cursor}):
                cursor = result["changed"]["cursor"]
                slugs.append(result["changed"]["change"]["record"]["slug"])
                if len(slugs) == count:
                    return slugs

        received = asyncio.create_task(receive(2))
        await create(f"gql-{name}-1")
        await create(f"gql-{name}-2")
        assert await asyncio.wait_for(received, 20) == [f"gql-{name}-1", f"gql-{name}-2"]
        await create(f"gql-{name}-3")

    async with Client(transport=transport(**options)) as session:
        async for result in session.subscribe(CHANGED, variable_values={"since": cursor}):
            assert result["changed"]["change"]["record"]["slug"] == f"gql-{name}-3", result
            break
        try:
            await session.execute(gql("{ nothing }"))
        except TransportQueryError as error:
            assert error.errors[0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED", error
        else:
            raise AssertionError("an invalid query was executed")

    try:
        async with Client(transport=transport("wrong", **options)):
            pass
    except TransportError:
        pass
    else:
        raise AssertionError("a wrong token was accepted")
    print(f"gql over WebSocket, {name}: ok")


async def main():
    await check("default")
    await check("transport-ws", subprotocols=["graphql-transport-ws"])
    await check("old", subprotocols=["graphql-ws"])


asyncio.run(main())

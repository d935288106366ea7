"""The tests of users.py against a server: KEYSTEAD_URL, KEYSTEAD_KEY."""

import asyncio
import logging
import os
import secrets
import sys
import unittest

from gql import gql
from gql.dsl import DSLMutation, DSLQuery, DSLSchema, dsl_gql
from gql.transport.exceptions import TransportQueryError
from graphql import GraphQLError

from users import all_users, codes, over_http, over_websocket

URL = os.environ["KEYSTEAD_URL"]
KEY = os.environ["KEYSTEAD_KEY"]
RUN = f"python-{secrets.token_hex(4)}"

VIEWER = gql("{ viewer { user { username role } } }")
CREATE = gql("mutation ($input: CreateUserInput!) { createUser(input: $input) { user { id username } secret } }")
UPDATE = gql("mutation ($input: UpdateUserInput!) { updateUser(input: $input) { user { id } } }")
DELETE = gql("mutation ($input: DeleteUserInput!) { deleteUser(input: $input) { deletedUserId } }")


class Users(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.client = over_http(URL, KEY)
        self.session = await self.client.connect_async()
        self.ids: list[str] = []

    async def asyncTearDown(self) -> None:
        for user_id in self.ids:
            await self.session.execute(DELETE, variable_values={"input": {"id": user_id}})
        await self.client.close_async()

    async def create(self, **fields: object) -> dict:
        answer = await self.session.execute(CREATE, variable_values={"input": fields})
        self.ids.append(answer["createUser"]["user"]["id"])
        return answer["createUser"]

    async def test_viewer(self) -> None:
        answer = await self.session.execute(VIEWER)
        self.assertEqual(answer["viewer"]["user"]["role"], "ADMIN")

    async def test_pages_are_an_iterator(self) -> None:
        name = f"{RUN}-page"
        for number in range(5):
            await self.create(username=f"{name}-{number}")
        found = [user["username"] async for user in all_users(self.session, {"search": name}, page=2)]
        self.assertEqual(sorted(found), [f"{name}-{number}" for number in range(5)])

    async def test_documents_are_checked_before_they_are_sent(self) -> None:
        with self.assertRaises(GraphQLError):
            await self.session.execute(gql("{ viewer { nobody } }"))

    async def test_a_query_built_from_the_schema(self) -> None:
        schema = self.client.schema
        assert schema is not None
        ds = DSLSchema(schema)
        made = await self.session.execute(
            dsl_gql(
                DSLMutation(
                    ds.Mutation.createUser.args(input={"username": f"{RUN}-dsl", "kind": "SERVICE"}).select(
                        ds.CreateUserPayload.user.select(ds.User.id)
                    )
                )
            )
        )
        user_id = made["createUser"]["user"]["id"]
        self.ids.append(user_id)
        read = await self.session.execute(
            dsl_gql(DSLQuery(ds.Query.user.args(by={"id": user_id}).select(ds.User.username, ds.User.kind)))
        )
        self.assertEqual(read["user"], {"username": f"{RUN}-dsl", "kind": "SERVICE"})

    async def test_an_error_has_its_code_and_field(self) -> None:
        await self.create(username=f"{RUN}-twice")
        with self.assertRaises(TransportQueryError) as caught:
            await self.session.execute(CREATE, variable_values={"input": {"username": f"{RUN}-twice"}})
        self.assertEqual(codes(caught.exception), ["ALREADY_EXISTS"])
        self.assertEqual((caught.exception.errors or [])[0]["extensions"]["field"], "input.username")

    async def test_a_new_key_works_at_once(self) -> None:
        made = await self.create(username=f"{RUN}-service", kind="SERVICE", apiKey={"name": "ci"})
        client = over_http(URL, made["secret"])
        async with client as session:
            answer = await session.execute(VIEWER)
        self.assertEqual(answer["viewer"]["user"]["username"], f"{RUN}-service")

    async def test_a_wrong_key_is_refused(self) -> None:
        with self.assertRaises(TransportQueryError) as caught:
            async with over_http(URL, f"ks_{'0' * 37}") as session:
                await session.execute(VIEWER)
        self.assertEqual(codes(caught.exception), ["UNAUTHENTICATED"])

    async def test_a_query_over_websocket(self) -> None:
        async with over_websocket(URL, KEY) as session:
            answer = await session.execute(VIEWER)
        self.assertEqual(answer["viewer"]["user"]["role"], "ADMIN")

    async def test_a_subscription_tells_of_a_change(self) -> None:
        user_id = (await self.create(username=f"{RUN}-heard"))["user"]["id"]

        async def listen() -> str:
            async with over_websocket(URL, KEY) as session:
                async for event in session.subscribe(gql("subscription { auditEvents { action target } }")):
                    if event["auditEvents"]["target"] == user_id and event["auditEvents"]["action"] == "user.update":
                        return event["auditEvents"]["action"]
            raise AssertionError("the subscription ended")

        async def change() -> None:
            for number in range(40):
                await asyncio.sleep(0.25)
                await self.session.execute(UPDATE, variable_values={"input": {"id": user_id, "name": f"Heard {number}"}})

        tasks = [asyncio.create_task(listen()), asyncio.create_task(change())]
        done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        self.assertIn(tasks[0], done, "no event came")
        self.assertEqual(tasks[0].result(), "user.update")


if __name__ == "__main__":
    # unittest runs the loop in debug mode, which reports whatever takes a tenth of a second.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Users))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(failed > 0)

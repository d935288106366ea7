"""The same of a client from before the rewrite, which speaks HTTP itself: KEYSTEAD_URL, KEYSTEAD_KEY, WANDB_BASE_URL."""

import os
import secrets
import sys
import unittest

import requests
import wandb
from wandb.errors import AuthenticationError

BASE = os.environ["WANDB_BASE_URL"]
KEY = os.environ["KEYSTEAD_KEY"]
RUN = secrets.token_hex(4)


class Older(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.api = wandb.Api(api_key=KEY, overrides={"base_url": BASE})

    def test_the_viewer_and_the_server(self) -> None:
        self.assertEqual(self.api.viewer.username, self.api.default_entity)
        self.assertTrue(self.api.client.version_supported("0.22.0"))
        self.assertFalse(self.api.client.server_info["latestLocalVersionInfo"]["outOfDate"])

    def test_users_and_keys(self) -> None:
        name = f"older-{RUN}"
        made = self.api.create_user(f"{name}@example.com")
        self.assertEqual((made.username, made.admin), (name, False))
        with self.assertRaises(requests.HTTPError) as caught:
            self.api.create_user(f"{name}@example.com")
        self.assertEqual(caught.exception.response.status_code, 409)
        self.assertEqual(self.api.user(name).email, f"{name}@example.com")
        self.assertIsNone(self.api.user(f"nobody-{RUN}"))
        mine = self.api.viewer
        self.assertTrue(mine.api_keys)

    def test_teams(self) -> None:
        team = self.api.create_team(f"older-{RUN}")
        stranger = f"stranger-{RUN}@example.com"
        self.assertIs(team.invite(stranger), True)
        self.assertIs(team.invite(stranger), False)
        self.assertIs(team.invite(f"nobody-{RUN}"), False)
        account = team.create_service_account("nightly build")
        self.assertRegex(account.api_key, "^ks_[0-9A-Za-z]{37}$")
        robot = wandb.Api(api_key=account.api_key, overrides={"base_url": BASE})
        self.assertEqual(robot.viewer.username, account.username)
        self.assertEqual(robot.viewer.delete_api_key(robot.viewer.api_keys[0]), True)
        team.load(True)
        self.assertEqual([member.name for member in team.members][1:], [stranger, "nightly build"])
        for member in team.members[1:]:
            self.assertIs(member.delete(), True)
        self.assertIs(team.members[1].delete(), False)

    def test_a_key_that_is_none(self) -> None:
        with self.assertRaises(AuthenticationError) as caught:
            wandb.Api(api_key="0" * 40, overrides={"base_url": BASE})
        self.assertEqual(caught.exception.__cause__.response.status_code, 401)


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Older))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)

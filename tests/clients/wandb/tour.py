"""All that the client of wandb offers for users, keys, teams, service accounts, organisations and registries, against a server:
KEYSTEAD_URL, KEYSTEAD_KEY, WANDB_BASE_URL. What it raises is what its user reads, so the whole text is compared."""

import base64
import json
import os
import secrets
import sys
import unittest
import urllib.error
import urllib.request

import wandb
from wandb.apis._generated import operations as of_people
from wandb.errors import AuthenticationError, CommError
from wandb.sdk.artifacts._generated import operations as of_registries
from wandb.sdk.internal import _generated as of_runs
from wandb.sdk.lib.service.service_connection import WandbApiFailedError

URL = os.environ["KEYSTEAD_URL"]
KEY = os.environ["KEYSTEAD_KEY"]
BASE = os.environ["WANDB_BASE_URL"]
RUN = secrets.token_hex(4)

# Of the documents in these packages those that are about runs, sweeps, artifacts, automations are no part of the dialect.
DOCUMENTS = """
    CREATE_INVITE CREATE_SERVICE_ACCOUNT CREATE_TEAM CREATE_USER_FROM_ADMIN DELETE_API_KEY DELETE_INVITE GENERATE_API_KEY
    GET_DEFAULT_ENTITY GET_PROJECT GET_PROJECTS GET_TEAM_ENTITY GET_VIEWER IS_PROJECT_READ_ONLY SEARCH_USERS CREATE_PROJECT
    CREATE_REGISTRY_MEMBERS DELETE_REGISTRY DELETE_REGISTRY_MEMBERS FETCH_ADVANCED_REGISTRY_FEATURES FETCH_ORGANIZATION
    FETCH_ORG_INFO_FROM_ENTITY FETCH_REGISTRIES FETCH_REGISTRY REGISTRY_TEAM_MEMBERS REGISTRY_USER_MEMBERS RENAME_REGISTRY
    UPDATE_TEAM_REGISTRY_ROLE UPDATE_USER_REGISTRY_ROLE UPSERT_REGISTRY SERVER_FEATURES_QUERY
""".split()
# Those that are compiled into the client's other half, as they are on the wire.
COMPILED = [
    "query Viewer{viewer{id entity username email flags teams{edges{node{name}}}}}",
    "query ServerFeaturesQuery{serverInfo{features{name isEnabled}}}",
    "query OrgFeatureFlags($org:String!){organization(name:$org){featureFlags(rampIDType:OrgName){rampKey isEnabled}}}",
    "query OrganizationCoreWeaveOrganizationID($entityName:String!){entity(name:$entityName){organization{coreWeaveOrganizationId}}}",
]

NO_KEY = "The credential is not an API key: a key is ks_ and 37 letters and digits, the last six a checksum. Was it cut?"
GONE = "There is no such API key. It may have been deleted or rotated."


def post(path: str, key: str | None, body: dict) -> tuple[int, dict]:
    """One request, without the client."""
    headers = {"Content-Type": "application/json"}
    if key and path == "/graphql":
        headers["Authorization"] = f"Bearer {key}"
    elif key:
        headers["Authorization"] = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
    request = urllib.request.Request(URL + path, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def native(document: str, variables: dict | None = None) -> dict:
    """What Keystead's own API says."""
    _, answer = post("/graphql", KEY, {"query": document, "variables": variables or {}})
    assert "errors" not in answer, answer
    return answer["data"]


def client(key: str = KEY) -> wandb.Api:
    return wandb.Api(api_key=key, overrides={"base_url": BASE})


class Tour(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls) -> None:
        cls.admin = client()
        cls.me = cls.admin.viewer.username

    def person(self, name: str, role: str = "MEMBER") -> tuple[str, wandb.Api]:
        """A user with a key, made natively: the client cannot make keys for others."""
        name = f"{name}-{RUN}-{secrets.token_hex(2)}"
        made = native(
            "mutation ($i: CreateUserInput!) { createUser(input: $i) { secret } }",
            {"i": {"username": name, "email": f"{name}@example.com", "role": role, "apiKey": {}}},
        )
        return name, client(made["createUser"]["secret"])

    def fails(self, status: int, text: str, call, *arguments, **named) -> None:
        """The exception that the client raises for what the server refuses."""
        with self.assertRaises(WandbApiFailedError) as caught:
            call(*arguments, **named)
        self.assertEqual(str(caught.exception), text)
        self.assertEqual(caught.exception.response.http_status, status)

    def refuses_key(self, key: str, text: str) -> None:
        with self.assertRaises(AuthenticationError) as caught:
            client(key)
        self.assertEqual(str(caught.exception), f"Failed to verify credentials with {BASE}: {text}")

    def no_such_team(self, name: str) -> str:
        return f"There is no team '{name}', or you may not see it."

    def test_every_document_is_valid(self) -> None:
        texts = dict(enumerate(COMPILED))
        for module in (of_people, of_registries, of_runs):
            for name in DOCUMENTS:
                if text := getattr(module, f"{name}_GQL", None):
                    texts[name] = text
        self.assertEqual(len(texts), 34, sorted(map(str, texts)))
        for name, text in texts.items():
            # The document is looked at before the operation is: so nothing runs.
            status, answer = post("/wandb/graphql", KEY, {"query": text, "operationName": "Nothing"})
            code = answer["errors"][0]["extensions"]["code"]
            self.assertEqual((status, code), (400, "OPERATION_RESOLUTION_FAILURE"), f"{name}: {answer}")

    def test_the_viewer(self) -> None:
        name, api = self.person("ada")
        self.assertEqual(api.viewer.username, name)
        self.assertEqual(api.viewer.email, f"{name}@example.com")
        self.assertEqual(api.default_entity, name)
        self.assertEqual(api.viewer.teams, [name])
        self.assertEqual(api.viewer.admin, False)
        self.assertTrue(self.admin.viewer.admin)
        self.assertEqual(len(api.viewer.api_keys), 1)

    def test_login(self) -> None:
        self.assertTrue(wandb.login(key=KEY, host=BASE, verify=True, relogin=True))

    def test_a_key_that_is_none(self) -> None:
        for key in (f"{KEY[:39]}{'a' if KEY[39] != 'a' else 'b'}", "0" * 40, f"local-{'0' * 40}"):
            self.refuses_key(key, NO_KEY)
        with self.assertRaises(AuthenticationError):
            client(KEY[:30])

    def test_users_are_made(self) -> None:
        email = f"grace-{RUN}@example.com"
        made = self.admin.create_user(email)
        self.assertEqual((made.username, made.email, made.admin), (f"grace-{RUN}", email, False))
        self.assertTrue(self.admin.create_user(f"root-{RUN}@example.com", admin=True).admin)
        user = native("query ($n: String!) { user(by: {username: $n}) { email role } }", {"n": f"root-{RUN}"})
        self.assertEqual(user["user"], {"email": f"root-{RUN}@example.com", "role": "ADMIN"})
        self.fails(409, f"The address '{email}' belongs to another user already.", self.admin.create_user, email)
        self.fails(400, "'nobody' is not an e-mail address. It looks like ada@example.com.", self.admin.create_user, "nobody")
        self.fails(400, "'' is not an e-mail address. It looks like ada@example.com.", self.admin.create_user, "")
        _, member = self.person("eve")
        self.fails(
            403,
            "This needs the privilege user.write at /users, which you do not hold.",
            member.create_user,
            f"mallory-{RUN}@example.com",
        )

    def test_users_are_found(self) -> None:
        name, member = self.person("linus")
        other, _ = self.person("linusa")
        self.assertEqual(self.admin.user(name).username, name)
        self.assertEqual(self.admin.user(f"{name}@example.com").username, name)
        self.assertEqual(self.admin.user(name).api_keys, member.viewer.api_keys)
        found = [user.username for user in self.admin.users("linus")]
        self.assertIn(name, found)
        self.assertIn(other, found)
        self.assertIsNone(self.admin.user(f"nobody-{RUN}"))
        self.assertEqual(self.admin.users(f"nobody-{RUN}"), [])
        self.assertIsNone(member.user(other))
        self.assertEqual(member.user(name).username, name)

    def test_keys(self) -> None:
        name, api = self.person("kay")
        viewer = api.viewer
        secret = viewer.generate_api_key("for the laptop")
        self.assertRegex(secret, "^ks_[0-9A-Za-z]{37}$")
        again = client(secret)
        self.assertEqual(again.viewer.username, name)
        listed = again.viewer.api_keys
        self.assertEqual(len(listed), 2)
        self.assertEqual(len(set(listed)), 2)
        self.assertNotIn(secret, listed)
        keys = native("query ($n: String!) { user(by: {username: $n}) { apiKeys { nodes { name description } } } }", {"n": name})
        self.assertEqual(keys["user"]["apiKeys"]["nodes"][1], {"name": listed[1], "description": "for the laptop"})
        # An administrator deletes it, by its listed name.
        self.assertTrue(self.admin.user(name).delete_api_key(listed[1]))
        self.refuses_key(secret, GONE)
        # What is gone cannot be deleted again, nor what is another's.
        self.fails(401, GONE, again.user, name)
        self.assertFalse(viewer.delete_api_key(secret))
        mine = self.admin.viewer
        other, _ = self.person("zoe")
        theirs = self.admin.user(other)
        theirs._service_api = api._service_api
        self.assertFalse(theirs.delete_api_key(theirs.api_keys[0]))
        self.assertEqual(len(self.admin.user(other).api_keys), 1)
        self.assertIsNone(viewer.generate_api_key("x" * 10_000))
        # Whoever's object it is, a key is always made for the caller.
        before = len(client().viewer.api_keys)
        self.assertIsNotNone(self.admin.user(name).generate_api_key("not theirs"))
        self.assertEqual(len(client().viewer.api_keys), before + 1)
        self.assertEqual(len(self.admin.user(name).api_keys), 1)
        self.assertTrue(mine.api_keys)

    def test_teams(self) -> None:
        name = f"team-{RUN}"
        team = self.admin.create_team(name)
        self.assertEqual((team.name, team.is_team, team.entity_type), (name, True, "team"))
        self.assertEqual([(member.username, member.admin) for member in team.members], [(self.me, True)])
        self.assertIn(name, client().viewer.teams)
        # One that is there is returned.
        self.assertEqual(self.admin.create_team(name).id, team.id)
        self.assertEqual(native("query ($s: String!) { team(by: {slug: $s}) { name } }", {"s": name}), {"team": {"name": name}})
        chief, as_chief = self.person("chief")
        other = self.admin.create_team(f"other-{RUN}", chief)
        self.assertEqual([member.username for member in other.members], [chief])
        self.assertEqual(as_chief.team(f"other-{RUN}").members[0].admin, True)
        nothing = f"nothing-{RUN}"
        self.fails(404, self.no_such_team(nothing), self.admin.team, nothing)
        self.fails(404, self.no_such_team(name), as_chief.team, name)
        # What may not be made is not there to be loaded.
        self.fails(404, self.no_such_team(nothing), as_chief.create_team, nothing)
        self.fails(404, self.no_such_team("a b"), self.admin.create_team, "a b")
        # A user's name is the name of its own place.
        own = as_chief.team(chief)
        self.assertEqual((own.is_team, [member.username for member in own.members]), (False, [chief]))

    def test_members(self) -> None:
        team = self.admin.create_team(f"crew-{RUN}")
        bob, as_bob = self.person("bob")
        kim, _ = self.person("kim")
        self.assertTrue(team.invite(bob))
        self.assertTrue(team.invite(f"{kim}@example.com", admin=True))
        stranger = f"stranger-{RUN}@example.com"
        self.assertTrue(team.invite(stranger))
        for whom in (bob, f"{kim}@example.com", stranger, f"nobody-{RUN}", "", "@"):
            self.assertFalse(team.invite(whom), whom)
        team.load(True)
        told = [(member.name, member.admin, member.pending, member.account_type) for member in team.members]
        self.assertEqual(
            told[1:], [(bob, False, False, "USER"), (kim, True, False, "USER"), (stranger, False, True, "USER")]
        )
        waiting = native("query ($e: String!) { invitations(filter: {email: $e}) { nodes { status } } }", {"e": stranger})
        self.assertEqual(waiting["invitations"]["nodes"], [{"status": "PENDING"}])
        # A member sees the members, and may do nothing.
        seen = as_bob.team(team.name)
        self.assertEqual(len(seen.members), 3)
        self.assertFalse(seen.invite(f"more-{RUN}@example.com"))
        self.assertFalse(seen.members[0].delete())
        # The last administrator who is left stays.
        for member in team.members[1:]:
            self.assertIs(member.delete(), True)
            self.assertIs(member.delete(), False)
        self.assertIs(team.members[0].delete(), False)
        team.load(True)
        self.assertEqual([member.username for member in team.members], [self.me])
        self.fails(404, self.no_such_team(team.name), as_bob.team, team.name)

    def test_service_accounts(self) -> None:
        team = self.admin.create_team(f"robots-{RUN}")
        account = team.create_service_account("nightly build")
        self.assertEqual((account.name, account.account_type, account.admin), ("nightly build", "SERVICE", False))
        robot = client(account.api_key)
        self.assertEqual(robot.viewer.username, account.username)
        self.assertIn(team.name, robot.viewer.teams)
        bob, as_bob = self.person("bob")
        team.invite(bob, admin=True)
        seen = as_bob.team(team.name)
        self.assertEqual([member.api_key for member in seen.members], [None, None, None])
        # Who may not make users makes no accounts.
        self.assertIsNone(seen.create_service_account("mine"))
        self.assertIsNone(team.create_service_account(""))
        self.assertIs(account.delete(), True)
        self.refuses_key(account.api_key, GONE)

    def test_organisations(self) -> None:
        name = f"org-{RUN}"
        top = self.admin.create_team(name)
        organization = self.admin.organization(name)
        self.assertEqual((organization.name, organization.org_entity.name), (name, name))
        bob, as_bob = self.person("bob")
        top.invite(bob)
        # Without a name it is the one to which the caller's place belongs.
        self.assertEqual(as_bob.organization().name, name)
        with self.assertRaises(CommError) as caught:
            self.admin.organization(f"nothing-{RUN}")
        self.assertEqual(str(caught.exception), f"There is no organization 'nothing-{RUN}', or you may not see it.")

    def test_registries(self) -> None:
        org = f"acme-{RUN}"
        self.admin.create_team(org)
        team = self.admin.create_team(f"vision-{RUN}")
        bob, as_bob = self.person("bob")
        registry = self.admin.create_registry("models", visibility="restricted", organization=org)
        self.assertEqual((registry.name, registry.organization, registry.visibility), ("models", org, "restricted"))
        self.assertTrue(registry.allow_all_artifact_types)
        user = self.admin.user(bob)
        registry.add_members(user, team)
        told = lambda: {(one.user if one.kind == "User" else one.team).name: one.role for one in registry.members()}
        self.assertEqual({**told(), "Administrator": None}, {"Administrator": None, bob: "viewer", team.name: "viewer"})
        for role in ("admin", "member", "viewer", "restricted_viewer"):
            registry.update_member(user, role)
            registry.update_member(team, role)
            self.assertEqual((told()[bob], told()[team.name]), (role, role))
        check = "query ($p: ID!, $r: String!) { checkPermission(principal: $p, privilege: $r, path: \"/registries/%s/models\") { allowed } }" % org
        uuid = native("query ($n: String!) { user(by: {username: $n}) { id } }", {"n": bob})["user"]["id"]
        self.assertTrue(native(check, {"p": uuid, "r": "registry.read"})["checkPermission"]["allowed"])
        self.assertFalse(native(check, {"p": uuid, "r": "registry.use"})["checkPermission"]["allowed"])
        self.fails(409, "One of the users or teams belongs to the registry already. Change its role instead.", registry.add_members, user)
        self.fails(400, "'owner' is none of admin, member, viewer, restricted_viewer.", registry.update_member, user, "owner")
        registry.remove_members(user, team)
        absent = "One of the users or teams does not belong to the registry, or you may not see it."
        self.fails(404, absent, registry.remove_members, user)
        self.fails(404, absent, registry.update_member, user, "viewer")
        self.assertNotIn(bob, told())
        # Found again, opened to all, and under another name.
        again = self.admin.registry("models", organization=org)
        again.visibility = "organization"
        again.name = "best"
        again.save()
        self.assertEqual((again.name, again.visibility), ("best", "organization"))
        self.assertEqual([one.name for one in self.admin.registries(organization=org)], ["best"])
        self.assertEqual([one.name for one in self.admin.registries(organization=org, filter={"name": "best"})], ["best"])
        with self.assertRaisesRegex(ValueError, "already exists"):
            self.admin.create_registry("best", visibility="restricted", organization=org)
        for wrong in ({"description": "of all kinds"}, {"artifact_types": ["model"]}):
            with self.assertRaises(ValueError) as caught:
                self.admin.create_registry("more", visibility="restricted", organization=org, **wrong)
            self.assertIn("cannot be kept: of a registry Keystead has the members and their roles", str(caught.exception.__cause__))
        with self.assertRaises(CommError) as caught:
            as_bob.registry("best", organization=org)
        self.assertEqual(str(caught.exception), f"There is no organization '{org}', or you may not see it.")
        again.delete()
        with self.assertRaises(ValueError):
            self.admin.registry("best", organization=org)

    def test_what_it_did_is_in_the_trail_by_its_name(self) -> None:
        name = f"traced-{RUN}"
        self.admin.create_user(f"{name}@example.com")
        user = native("query ($n: String!) { user(by: {username: $n}) { auditEvents { nodes { action via userAgent } } } }", {"n": name})
        agent = f"W&B Public Client {wandb.__version__}"
        self.assertEqual(
            user["user"]["auditEvents"]["nodes"], [{"action": "user.create", "via": "wandb", "userAgent": agent}]
        )


if __name__ == "__main__":
    result = unittest.TextTestRunner(verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(Tour))
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)

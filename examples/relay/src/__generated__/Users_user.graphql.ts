/**
 * @generated SignedSource<<4decbfc7d0f2912aa5b4db42b78f1714>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ReaderFragment } from 'relay-runtime';
export type TeamRole = "ADMIN" | "MEMBER" | "%future added value";
import type { FragmentRefs } from "relay-runtime";
export type Users_user$data = {
  readonly id: string;
  readonly memberships: {
    readonly nodes: ReadonlyArray<{
      readonly role: TeamRole;
      readonly team: {
        readonly slug: string;
      };
    }>;
  };
  readonly name: string | null | undefined;
  readonly username: string;
  readonly " $fragmentType": "Users_user";
};
export type Users_user$key = {
  readonly " $data"?: Users_user$data;
  readonly " $fragmentSpreads": FragmentRefs<"Users_user">;
};

import UsersUserQuery_graphql from './UsersUserQuery.graphql';

const node: ReaderFragment = {
  "argumentDefinitions": [],
  "kind": "Fragment",
  "metadata": {
    "refetch": {
      "connection": null,
      "fragmentPathInResult": [
        "node"
      ],
      "operation": UsersUserQuery_graphql,
      "identifierInfo": {
        "identifierField": "id",
        "identifierQueryVariableName": "id"
      }
    }
  },
  "name": "Users_user",
  "selections": [
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "id",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "username",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "name",
      "storageKey": null
    },
    {
      "alias": null,
      "args": [
        {
          "kind": "Literal",
          "name": "first",
          "value": 5
        }
      ],
      "concreteType": "TeamMembershipConnection",
      "kind": "LinkedField",
      "name": "memberships",
      "plural": false,
      "selections": [
        {
          "alias": null,
          "args": null,
          "concreteType": "TeamMembership",
          "kind": "LinkedField",
          "name": "nodes",
          "plural": true,
          "selections": [
            {
              "alias": null,
              "args": null,
              "kind": "ScalarField",
              "name": "role",
              "storageKey": null
            },
            {
              "alias": null,
              "args": null,
              "concreteType": "Team",
              "kind": "LinkedField",
              "name": "team",
              "plural": false,
              "selections": [
                {
                  "alias": null,
                  "args": null,
                  "kind": "ScalarField",
                  "name": "slug",
                  "storageKey": null
                }
              ],
              "storageKey": null
            }
          ],
          "storageKey": null
        }
      ],
      "storageKey": "memberships(first:5)"
    }
  ],
  "type": "User",
  "abstractKey": null
};

(node as any).hash = "9be8155296b02bc04d9bb0cfe410a3ed";

export default node;

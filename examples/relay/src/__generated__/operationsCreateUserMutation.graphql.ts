/**
 * @generated SignedSource<<241ab5992c575dff7dcfea8790b17080>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import type { ConcreteRequest } from 'relay-runtime';
import type { FragmentRefs } from "relay-runtime";
export type InstanceRole = "ADMIN" | "AUDITOR" | "MEMBER" | "VIEWER" | "%future added value";
export type TeamRole = "ADMIN" | "MEMBER" | "%future added value";
export type UserKind = "PERSON" | "SERVICE" | "%future added value";
export type WindowUnit = "DAY" | "HOUR" | "MONTH" | "WEEK" | "YEAR" | "%future added value";
export type CreateUserInput = {
  apiKey?: NewApiKeyInput | null | undefined;
  comment?: string | null | undefined;
  email?: string | null | undefined;
  enabled?: boolean;
  expiresAt?: string | null | undefined;
  familyName?: string | null | undefined;
  givenName?: string | null | undefined;
  kind?: UserKind;
  limits?: NewLimitsInput | null | undefined;
  memberships?: ReadonlyArray<MembershipInput> | null | undefined;
  metadata?: unknown | null | undefined;
  name?: string | null | undefined;
  password?: string | null | undefined;
  role?: InstanceRole | null | undefined;
  username: string;
};
export type MembershipInput = {
  role?: TeamRole;
  team: string;
};
export type NewApiKeyInput = {
  allowedCidrs?: ReadonlyArray<string> | null | undefined;
  description?: string | null | undefined;
  expiresAt?: string | null | undefined;
  expiresIn?: string | null | undefined;
  limits?: NewLimitsInput | null | undefined;
  metadata?: unknown | null | undefined;
  name?: string | null | undefined;
  permissions?: ReadonlyArray<KeyPermissionInput> | null | undefined;
  team?: string | null | undefined;
};
export type KeyPermissionInput = {
  expiresAt?: string | null | undefined;
  path: string;
  propagate?: boolean;
  role: string;
};
export type NewLimitsInput = {
  budgets?: ReadonlyArray<BudgetInput> | null | undefined;
  maxParallel?: number | null | undefined;
  requestsPerMinute?: number | null | undefined;
  tokensPerMinute?: number | null | undefined;
};
export type BudgetInput = {
  includePastSpend?: boolean;
  increase?: BudgetIncreaseInput | null | undefined;
  maxUsd: string;
  name: string;
  softUsd?: string | null | undefined;
  window?: BudgetWindowInput | null | undefined;
};
export type BudgetWindowInput = {
  every?: BudgetWindowEveryInput | null | undefined;
};
export type BudgetWindowEveryInput = {
  anchor: string;
  count?: number;
  timeZone?: string;
  unit: WindowUnit;
};
export type BudgetIncreaseInput = {
  maxUsd: string;
  until: string;
};
export type operationsCreateUserMutation$variables = {
  input: CreateUserInput;
};
export type operationsCreateUserMutation$data = {
  readonly createUser: {
    readonly user: {
      readonly id: string;
      readonly " $fragmentSpreads": FragmentRefs<"Users_user">;
    };
  };
};
export type operationsCreateUserMutation = {
  response: operationsCreateUserMutation$data;
  variables: operationsCreateUserMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "kind": "Variable",
    "name": "input",
    "variableName": "input"
  }
],
v2 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
};
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "operationsCreateUserMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": "CreateUserPayload",
        "kind": "LinkedField",
        "name": "createUser",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "User",
            "kind": "LinkedField",
            "name": "user",
            "plural": false,
            "selections": [
              (v2/*:: as any*/),
              {
                "args": null,
                "kind": "FragmentSpread",
                "name": "Users_user"
              }
            ],
            "storageKey": null
          }
        ],
        "storageKey": null
      }
    ],
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "operationsCreateUserMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": "CreateUserPayload",
        "kind": "LinkedField",
        "name": "createUser",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "User",
            "kind": "LinkedField",
            "name": "user",
            "plural": false,
            "selections": [
              (v2/*:: as any*/),
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
                          },
                          (v2/*:: as any*/)
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
            "storageKey": null
          }
        ],
        "storageKey": null
      }
    ]
  },
  "params": {
    "cacheID": "40323f9521672240ce3d9e2b8114f901",
    "id": null,
    "metadata": {},
    "name": "operationsCreateUserMutation",
    "operationKind": "mutation",
    "text": "mutation operationsCreateUserMutation(\n  $input: CreateUserInput!\n) {\n  createUser(input: $input) {\n    user {\n      id\n      ...Users_user\n    }\n  }\n}\n\nfragment Users_user on User {\n  id\n  username\n  name\n  memberships(first: 5) {\n    nodes {\n      role\n      team {\n        slug\n        id\n      }\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "d728dd3758c7fc610a13e99ce321b5ab";

export default node;

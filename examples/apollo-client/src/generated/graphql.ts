/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
/** More than the usual amount, until a moment. */
export type BudgetIncreaseInput = {
  /** What may be spent in a window meanwhile. */
  maxUsd: string;
  /** From this moment on, the usual amount holds again. */
  until: string;
};

/** What may be spent in each window. */
export type BudgetInput = {
  /** Whether what was spent before it was armed counts. */
  includePastSpend?: boolean;
  /** More until a moment. */
  increase?: BudgetIncreaseInput | null | undefined;
  /** What may be spent in a window; 0: nothing. */
  maxUsd: string;
  /** The name, 1–64 characters, unique among those of the subject. */
  name: string;
  /** From here on somebody should know: it stops nothing; at most `maxUsd`. */
  softUsd?: string | null | undefined;
  /** In which stretches of time; left out: one that never ends. */
  window?: BudgetWindowInput | null | undefined;
};

/** Windows that follow one another by a calendar, from the anchor in both directions. */
export type BudgetWindowEveryInput = {
  /** The beginning of one of the windows, between 1970 and 2199. */
  anchor: string;
  /** How many units a window has; it is at most ten years long. */
  count?: number;
  /** The zone whose calendar counts, by its name in the IANA database. */
  timeZone?: string;
  /** What they are. */
  unit: WindowUnit;
};

/** In which stretches of time a budget counts. */
export type BudgetWindowInput = {
  /** One after the other; left out: one that never ends. */
  every?: BudgetWindowEveryInput | null | undefined;
};

/** A user to be made. */
export type CreateUserInput = {
  /** Makes its first API key too: both or neither. The secret is in the payload. Needs `apiKey.write` at the user's path. */
  apiKey?: NewApiKeyInput | null | undefined;
  /** A comment for administrators, 1–2,000 characters. */
  comment?: string | null | undefined;
  /** The e-mail address; unique without regard to case. */
  email?: string | null | undefined;
  /** Whether it may do anything at all. */
  enabled?: boolean;
  /** From this moment on it counts as disabled. */
  expiresAt?: string | null | undefined;
  /** The family name, 1–200 characters. */
  familyName?: string | null | undefined;
  /** The given name, 1–200 characters. */
  givenName?: string | null | undefined;
  /** A person, or an account for a program. */
  kind?: UserKind;
  /** How much all its keys together may use. What is left out is as the policy for limits says. */
  limits?: NewLimitsInput | null | undefined;
  /** The teams to which it belongs from the beginning, at most 100; left out: as the policy says. Needs `team.write` at each. */
  memberships?: Array<MembershipInput> | null | undefined;
  /** A JSON object of at most 16 kB. */
  metadata?: unknown;
  /** The display name, 1–200 characters. */
  name?: string | null | undefined;
  /** The password: at least as long as the policy says, at most 72 bytes. */
  password?: string | null | undefined;
  /** What it is to the whole instance; left out: as the policy says. You cannot give more than you hold. */
  role?: InstanceRole | null | undefined;
  /** The name it signs in with: 1–64 of letters, digits and . _ - @ +; unique without regard to case. */
  username: string;
};

/** Names the user to be deleted. */
export type DeleteUserInput = {
  /** Go on where this leaves a team without an admin who can act. */
  allowTeamsWithoutAdmin?: boolean;
  /** The user's id. */
  id: string;
};

/** What a user is to the whole instance. */
export type InstanceRole =
  /** Holds everything everywhere. */
  | 'ADMIN'
  /** Reads everything. */
  | 'AUDITOR'
  /** Reads itself and makes its own keys; everything else by permissions. */
  | 'MEMBER'
  /** Reads itself; everything else by permissions. */
  | 'VIEWER';

/** A permission of a key itself, within its owner's. */
export type KeyPermissionInput = {
  /** From this moment on it no longer applies. */
  expiresAt?: string | null | undefined;
  /** Where: `/`, `/models/gpt-4o` … */
  path: string;
  /** Whether it also applies to everything below the path. */
  propagate?: boolean;
  /** What it allows: the name of a role. */
  role: string;
};

/** A team to which a new user belongs. */
export type MembershipInput = {
  /** What the user is to the team. */
  role?: TeamRole;
  /** The team's id. */
  team: string;
};

/** An API key to be made with its owner. */
export type NewApiKeyInput = {
  /** Ranges of addresses it may be used from, at most 100; none: from anywhere. */
  allowedCidrs?: Array<string> | null | undefined;
  /** What it is for, 1–2,000 characters. */
  description?: string | null | undefined;
  /** From this moment on it does not work. Neither this nor `expiresIn`: as late as the policy allows. */
  expiresAt?: string | null | undefined;
  /** How long it works from now on, in ISO 8601: `P30D`, `PT12H`. Not together with `expiresAt`. */
  expiresIn?: string | null | undefined;
  /** How much it may use. What is left out is as the policy for limits says, and within its bounds. */
  limits?: NewLimitsInput | null | undefined;
  /** A JSON object of at most 16 kB. */
  metadata?: unknown;
  /** The name, 1–200 characters, unique among the owner's keys; made from the prefix if not given. */
  name?: string | null | undefined;
  /** Permissions of its own, within the owner's, at most 100. A list, even an empty one, makes the key restricted. */
  permissions?: Array<KeyPermissionInput> | null | undefined;
  /** Makes it a key of this team. The owner must be a member, or a service account. */
  team?: string | null | undefined;
};

/** Limits of something that is being made. What is left out is as the policy for limits says; null: no limit. */
export type NewLimitsInput = {
  /** What may be spent, at most 20 budgets. */
  budgets?: Array<BudgetInput> | null | undefined;
  /** Reservations that are open at once; 0 allows none. */
  maxParallel?: number | null | undefined;
  /** Requests in a minute of the clock; 0 allows none. */
  requestsPerMinute?: number | null | undefined;
  /** Tokens in a minute of the clock; 0 allows none. */
  tokensPerMinute?: number | null | undefined;
};

/** What a user is to a team. */
export type TeamRole =
  /** Changes the team, its members and its keys. */
  | 'ADMIN'
  /** Belongs to the team: sees it and its members, and holds what it holds. */
  | 'MEMBER';

/** Changes to a user: what is absent stays, null clears. */
export type UpdateUserInput = {
  /** Go on where disabling or expiring the user leaves a team without an admin who can act. */
  allowTeamsWithoutAdmin?: boolean;
  /** A comment for administrators, 1–2,000 characters. */
  comment?: string | null | undefined;
  /** The e-mail address. */
  email?: string | null | undefined;
  /** Whether it may do anything at all. */
  enabled?: boolean | null | undefined;
  /** From this moment on it counts as disabled. */
  expiresAt?: string | null | undefined;
  /** The family name, 1–200 characters. */
  familyName?: string | null | undefined;
  /** The given name, 1–200 characters. */
  givenName?: string | null | undefined;
  /** The user's id. */
  id: string;
  /** A JSON object of at most 16 kB; null leaves an empty one. */
  metadata?: unknown;
  /** The display name, 1–200 characters. */
  name?: string | null | undefined;
  /** What it is to the whole instance. You cannot give more than you hold. */
  role?: InstanceRole | null | undefined;
  /** The name it signs in with: 1–64 of letters, digits and . _ - @ +. */
  username?: string | null | undefined;
};

/** Which users to list; conditions are joined by AND. */
export type UserFilter = {
  /** Only those made before this moment. */
  createdBefore?: string | null | undefined;
  /** Only those made at or after this moment. */
  createdFrom?: string | null | undefined;
  /** Only enabled ones, or only disabled ones. */
  enabled?: boolean | null | undefined;
  /** Only people, or only service accounts. */
  kind?: UserKind | null | undefined;
  /** Only those with this instance role. */
  role?: InstanceRole | null | undefined;
  /** Words, each of which begins a word of a name or of the e-mail address. */
  search?: string | null | undefined;
  /** Only members of this team. */
  team?: string | null | undefined;
};

/** A person, or an account for a program. */
export type UserKind =
  /** A human being. */
  | 'PERSON'
  /** A program, a CI job, a server. */
  | 'SERVICE';

/** What the length of a budget's window is counted in. */
export type WindowUnit =
  /** A day of the calendar: 23 or 25 hours when clocks change. */
  | 'DAY'
  /** 3,600 seconds. */
  | 'HOUR'
  /** A month of the calendar. From the 31st it begins on the last day of shorter months. */
  | 'MONTH'
  /** Seven days of the calendar. */
  | 'WEEK'
  /** A year of the calendar. */
  | 'YEAR';

export type Fresh_QueryVariables = Exact<{ [key: string]: never; }>;


export type Fresh_Query = { serverInfo: { __typename: 'ServerInfo', version: string } };

export type ViewerQueryVariables = Exact<{ [key: string]: never; }>;


export type ViewerQuery = { viewer: { __typename: 'Viewer', user: { __typename: 'User', id: string, username: string, role: InstanceRole }, apiKey: { __typename: 'ApiKey', id: string, prefix: string } | null } | null };

export type UsersQueryVariables = Exact<{
  filter?: UserFilter | null | undefined;
  first: number;
  after?: string | null | undefined;
}>;


export type UsersQuery = { users: { __typename: 'UserConnection', totalCount: number, edges: Array<{ __typename: 'UserEdge', cursor: string, node: { __typename: 'User', id: string, username: string, name: string | null, teams: { __typename: 'TeamConnection', nodes: Array<{ __typename: 'Team', id: string, slug: string }> } } }>, pageInfo: { __typename: 'PageInfo', endCursor: string | null, hasNextPage: boolean } } };

export type UserByIdQueryVariables = Exact<{
  id: string;
}>;


export type UserByIdQuery = { user: { __typename: 'User', id: string, username: string, name: string | null } | null };

export type CreateUserMutationVariables = Exact<{
  input: CreateUserInput;
}>;


export type CreateUserMutation = { createUser: { __typename: 'CreateUserPayload', user: { __typename: 'User', id: string, username: string, name: string | null } } };

export type RenameUserMutationVariables = Exact<{
  input: UpdateUserInput;
}>;


export type RenameUserMutation = { updateUser: { __typename: 'UpdateUserPayload', user: { __typename: 'User', id: string, name: string | null } } };

export type DeleteUserMutationVariables = Exact<{
  input: DeleteUserInput;
}>;


export type DeleteUserMutation = { deleteUser: { __typename: 'DeleteUserPayload', deletedUserId: string } };

export type DecisionQueryVariables = Exact<{
  privilege: string;
  path: string;
}>;


export type DecisionQuery = { checkPermission: { __typename: 'PermissionCheck', allowed: boolean, explanation: string, principal:
      | { __typename: 'ApiKey', id: string, prefix: string }
      | { __typename: 'Team', id: string, slug: string }
      | { __typename: 'User', id: string, username: string }
     } };

export type AuditFeedSubscriptionVariables = Exact<{ [key: string]: never; }>;


export type AuditFeedSubscription = { auditEvents: { __typename: 'AuditEvent', id: string, action: string, target: string } };


export const Fresh_Document = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Fresh_"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"serverInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"version"}}]}}]}}]} as unknown as DocumentNode<Fresh_Query, Fresh_QueryVariables>;
export const ViewerDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"viewer"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"user"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"role"}}]}},{"kind":"Field","name":{"kind":"Name","value":"apiKey"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"prefix"}}]}}]}}]}}]} as unknown as DocumentNode<ViewerQuery, ViewerQueryVariables>;
export const UsersDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Users"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"UserFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"users"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"teams"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"IntValue","value":"3"}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"nodes"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"slug"}}]}}]}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"endCursor"}},{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}}]}},{"kind":"Field","name":{"kind":"Name","value":"totalCount"}}]}}]}}]} as unknown as DocumentNode<UsersQuery, UsersQueryVariables>;
export const UserByIdDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"UserById"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"user"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"by"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}}]}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]} as unknown as DocumentNode<UserByIdQuery, UserByIdQueryVariables>;
export const CreateUserDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateUser"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CreateUserInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createUser"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"user"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"username"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]}}]} as unknown as DocumentNode<CreateUserMutation, CreateUserMutationVariables>;
export const RenameUserDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"RenameUser"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UpdateUserInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"updateUser"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"user"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"name"}}]}}]}}]}}]} as unknown as DocumentNode<RenameUserMutation, RenameUserMutationVariables>;
export const DeleteUserDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"DeleteUser"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DeleteUserInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deleteUser"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deletedUserId"}}]}}]}}]} as unknown as DocumentNode<DeleteUserMutation, DeleteUserMutationVariables>;
export const DecisionDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Decision"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"privilege"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"path"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"checkPermission"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"privilege"},"value":{"kind":"Variable","name":{"kind":"Name","value":"privilege"}}},{"kind":"Argument","name":{"kind":"Name","value":"path"},"value":{"kind":"Variable","name":{"kind":"Name","value":"path"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"allowed"}},{"kind":"Field","name":{"kind":"Name","value":"explanation"}},{"kind":"Field","name":{"kind":"Name","value":"principal"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"User"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"username"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ApiKey"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"prefix"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Team"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"slug"}}]}}]}}]}}]}}]} as unknown as DocumentNode<DecisionQuery, DecisionQueryVariables>;
export const AuditFeedDocument = {"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"AuditFeed"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"auditEvents"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"action"}},{"kind":"Field","name":{"kind":"Name","value":"target"}}]}}]}}]} as unknown as DocumentNode<AuditFeedSubscription, AuditFeedSubscriptionVariables>;
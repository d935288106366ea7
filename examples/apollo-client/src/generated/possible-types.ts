
      export type PossibleTypesResultData = {
  "possibleTypes": {
    "Node": [
      "ApiKey",
      "AuditEvent",
      "Permission",
      "Role",
      "Team",
      "User"
    ],
    "Principal": [
      "ApiKey",
      "Team",
      "User"
    ]
  }
};
      const result: PossibleTypesResultData = {
  "possibleTypes": {
    "Node": [
      "ApiKey",
      "AuditEvent",
      "Permission",
      "Role",
      "Team",
      "User"
    ],
    "Principal": [
      "ApiKey",
      "Team",
      "User"
    ]
  }
};
      export default result;
    

      export type PossibleTypesResultData = {
  "possibleTypes": {
    "Node": [
      "AccessRequest",
      "ApiKey",
      "AuditEvent",
      "Invitation",
      "Permission",
      "Role",
      "SecondFactor",
      "Session",
      "Team",
      "User",
      "Webhook"
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
      "AccessRequest",
      "ApiKey",
      "AuditEvent",
      "Invitation",
      "Permission",
      "Role",
      "SecondFactor",
      "Session",
      "Team",
      "User",
      "Webhook"
    ],
    "Principal": [
      "ApiKey",
      "Team",
      "User"
    ]
  }
};
      export default result;
    
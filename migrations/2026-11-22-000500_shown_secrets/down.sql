DROP TABLE shown_secrets;

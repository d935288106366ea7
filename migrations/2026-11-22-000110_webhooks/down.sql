DROP TRIGGER audit_events_into_outbox ON audit_events;
DROP FUNCTION audit_events_into_outbox();
DROP TABLE webhook_deliveries;
DROP TABLE webhooks;

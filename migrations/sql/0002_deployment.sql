-- What a database is for. A database that was LIVE once is never opened by a PAPER desk, and the other way round.

CREATE TABLE deployment (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    mode     text NOT NULL CHECK (mode IN ('PAPER', 'LIVE'))
);
COMMENT ON TABLE deployment IS 'PAPER or LIVE: said once, by the first start, and never changed.';

CREATE TRIGGER deployment_never_changes BEFORE UPDATE OR DELETE OR TRUNCATE ON deployment
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse();
ALTER TABLE deployment ENABLE ALWAYS TRIGGER deployment_never_changes;

GRANT SELECT, INSERT ON deployment TO ems_app;

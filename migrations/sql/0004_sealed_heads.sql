-- Sealing: signed heads of the log's Merkle tree, and the roots of its subtrees of 1,024 events, so that a proof reads little.
-- Neither is evidence by itself: a head counts by its signature and by its copy outside of this database.

CREATE TABLE sealed_heads (
    number     bigint PRIMARY KEY CHECK (number > 0),
    size       bigint NOT NULL UNIQUE CHECK (size > 0),
    root       bytea  NOT NULL CHECK (octet_length(root) = 32),
    chain_hash bytea  NOT NULL CHECK (octet_length(chain_hash) = 32),
    previous   bytea  NOT NULL CHECK (octet_length(previous) = 32),
    time_ns    bigint NOT NULL,
    key_id     bytea  NOT NULL CHECK (octet_length(key_id) = 32),
    signature  bytea  NOT NULL CHECK (octet_length(signature) = 64)
);
COMMENT ON TABLE sealed_heads IS 'The log up to event size, signed (Ed25519). Each names the one before it.';

CREATE TABLE sealed_tiles (
    number bigint PRIMARY KEY CHECK (number >= 0),
    root   bytea NOT NULL CHECK (octet_length(root) = 32)
);
COMMENT ON TABLE sealed_tiles IS 'The root of the leaves of events 1024 * number + 1 to 1024 * (number + 1).';

CREATE TRIGGER sealed_heads_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON sealed_heads
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse();
CREATE TRIGGER sealed_tiles_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON sealed_tiles
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse();
ALTER TABLE sealed_heads ENABLE ALWAYS TRIGGER sealed_heads_never_change;
ALTER TABLE sealed_tiles ENABLE ALWAYS TRIGGER sealed_tiles_never_change;

GRANT SELECT, INSERT ON sealed_heads, sealed_tiles TO ems_app;

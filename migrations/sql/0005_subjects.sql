-- Personal data, encrypted under a key of each subject that is never in this database; and who may read the log and nothing else.

CREATE TABLE subjects (
    subject text PRIMARY KEY CHECK (subject ~ '^S-[0-9A-F]{24}$'),
    sealed  bytea NOT NULL CHECK (octet_length(sealed) > 28)
);
COMMENT ON TABLE subjects IS 'Nonce and AES-GCM ciphertext of what is known of a person. Without the subject''s key it says nothing.';
GRANT SELECT, INSERT, UPDATE ON subjects TO ems_app;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ems_auditor') THEN
        CREATE ROLE ems_auditor NOLOGIN;  -- its password, where it logs in, is set outside of the migrations
    END IF;
END $$;
GRANT SELECT ON events, log_head, stored_events, deployment, sealed_heads, sealed_tiles, alembic_version TO ems_auditor;

-- Who may sign in at the console and what they keep there. These tables change, and hold what events must not: names and
-- passwords. Beside the log, with rights of their own: the application may change every row here and none there.

CREATE TABLE accounts (
    id         text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9._-]{0,31}$'),
    name       text NOT NULL,
    password   text NOT NULL DEFAULT '',
    subject    text UNIQUE,
    roles      text[] NOT NULL,
    disabled   boolean NOT NULL DEFAULT false,
    changed_ns bigint NOT NULL
);
COMMENT ON COLUMN accounts.password IS 'argon2id, with its parameters and salt; empty where another proves who it is';

CREATE TABLE entitlements (
    account text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind    text NOT NULL CHECK (kind IN ('client', 'desk', 'symbol', 'account')),
    value   text NOT NULL,
    PRIMARY KEY (account, kind, value)
);

CREATE TABLE sessions (
    digest     bytea PRIMARY KEY,
    account    text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    csrf       text NOT NULL,
    created_ns bigint NOT NULL,
    expires_ns bigint NOT NULL
);
CREATE INDEX sessions_account ON sessions (account);
COMMENT ON COLUMN sessions.digest IS 'SHA-256 of the secret that the browser holds';

CREATE TABLE tokens (
    name       text PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE,
    account    text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    roles      text[] NOT NULL,
    made_by    text NOT NULL,
    created_ns bigint NOT NULL,
    expires_ns bigint NOT NULL,
    revoked    boolean NOT NULL DEFAULT false
);

CREATE TABLE invites (
    digest     bytea PRIMARY KEY,
    roles      text[] NOT NULL,
    expires_ns bigint NOT NULL,
    used_ns    bigint
);

CREATE TABLE layouts (
    account    text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name       text NOT NULL,
    body       jsonb NOT NULL,
    changed_ns bigint NOT NULL,
    PRIMARY KEY (account, name)
);

CREATE TABLE commands (
    account  text NOT NULL,
    key      text NOT NULL,
    verb     text NOT NULL,
    body     bytea NOT NULL,
    asked_ns bigint NOT NULL,
    answer   jsonb,
    PRIMARY KEY (account, key)
);
CREATE INDEX commands_asked ON commands (asked_ns);
COMMENT ON TABLE commands IS 'What was asked for under which key, so that the same key is never a second act';

GRANT SELECT, INSERT, UPDATE, DELETE ON accounts, entitlements, sessions, tokens, invites, layouts, commands TO ems_app;

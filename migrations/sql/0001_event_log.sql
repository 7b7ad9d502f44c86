-- The event log. One row of log_head is its end; whoever moves it holds its row lock until commit, so that
-- sequence numbers are gapless and appear to readers in order.

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'ems_app') THEN
        CREATE ROLE ems_app NOLOGIN;  -- its password, where it logs in, is set outside of the migrations
    END IF;
END $$;

CREATE TABLE events (
    seq              bigint NOT NULL,
    stream           uuid   NOT NULL,
    version          bigint NOT NULL CHECK (version >= 0),
    topic            text   NOT NULL,
    recorded_time_ns bigint NOT NULL,
    state            bytea  NOT NULL,
    prev_hash        bytea  NOT NULL,
    hash             bytea  NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (seq),
    CONSTRAINT events_stream_version_key UNIQUE (stream, version)
);
COMMENT ON TABLE events IS 'What happened. Appended to only. hash = SHA-256 over prev_hash and all other columns.';

CREATE TABLE log_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    seq      bigint NOT NULL,
    hash     bytea  NOT NULL CHECK (octet_length(hash) = 32),
    epoch    bigint NOT NULL,
    leader   text   NOT NULL
) WITH (fillfactor = 10);
COMMENT ON TABLE log_head IS 'The end of the log and the epoch of the desk that leads.';
INSERT INTO log_head (seq, hash, epoch, leader) VALUES (0, decode(repeat('00', 32), 'hex'), 0, '');

-- ---------------------------------------------------------------------------------- moving the head

-- Moves the head from one known place to the next in one step. EMS01: the epoch has ended. EMS02: the head is elsewhere.
CREATE FUNCTION log_claim(old_seq bigint, old_hash bytea, new_seq bigint, new_hash bytea, writer_epoch bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    head log_head;
BEGIN
    UPDATE log_head SET seq = new_seq, hash = new_hash
     WHERE seq = old_seq AND hash = old_hash AND new_seq > old_seq AND (writer_epoch IS NULL OR epoch = writer_epoch);
    IF NOT FOUND THEN
        SELECT * INTO head FROM log_head;
        IF writer_epoch <> head.epoch THEN
            RAISE EXCEPTION 'epoch % has ended, the log is at epoch %', writer_epoch, head.epoch USING ERRCODE = 'EMS01';
        END IF;
        RAISE EXCEPTION 'the log''s head is %, not %', head.seq, old_seq USING ERRCODE = 'EMS02';
    END IF;
    PERFORM pg_notify('ems_log', new_seq::text);
END $$;

-- Takes the head's row lock until the transaction ends and tells where the head is.
CREATE FUNCTION log_lock(writer_epoch bigint) RETURNS log_head
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    head log_head;
BEGIN
    SELECT * INTO head FROM log_head FOR UPDATE;
    IF writer_epoch <> head.epoch THEN
        RAISE EXCEPTION 'epoch % has ended, the log is at epoch %', writer_epoch, head.epoch USING ERRCODE = 'EMS01';
    END IF;
    RETURN head;
END $$;

-- A desk that holds the lease begins to lead: every earlier epoch is fenced from here on.
CREATE FUNCTION log_lead(new_leader text) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
    UPDATE log_head SET epoch = epoch + 1, leader = new_leader RETURNING epoch;
$$;

-- ---------------------------------------------------------------------------------- what never happens

CREATE FUNCTION log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% of % is refused: the log is only appended to', TG_OP, TG_TABLE_NAME USING ERRCODE = 'EMS03';
END $$;

CREATE TRIGGER events_never_change BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse();
CREATE TRIGGER log_head_never_goes BEFORE DELETE OR TRUNCATE ON log_head
    FOR EACH STATEMENT EXECUTE FUNCTION log_refuse();

CREATE FUNCTION log_head_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.seq < OLD.seq OR NEW.epoch < OLD.epoch OR (NEW.seq = OLD.seq AND NEW.hash <> OLD.hash) THEN
        RAISE EXCEPTION 'the head of the log only moves forward' USING ERRCODE = 'EMS03';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER log_head_only_forward BEFORE UPDATE ON log_head
    FOR EACH ROW EXECUTE FUNCTION log_head_only_forward();

-- Rows may only be added up to the head that the same transaction has claimed, none missing.
CREATE FUNCTION log_events_continue() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    added record;
BEGIN
    SELECT count(*) AS number, min(seq) AS first, max(seq) AS last INTO added FROM added_events;
    IF added.number > 0 AND (added.last - added.first + 1 <> added.number
                             OR added.last <> (SELECT seq FROM log_head)) THEN
        RAISE EXCEPTION 'events % to % do not end at the head of the log', added.first, added.last USING ERRCODE = 'EMS03';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER log_events_continue AFTER INSERT ON events REFERENCING NEW TABLE AS added_events
    FOR EACH STATEMENT EXECUTE FUNCTION log_events_continue();

-- Also in a session that has switched ordinary triggers off.
ALTER TABLE events ENABLE ALWAYS TRIGGER events_never_change;
ALTER TABLE events ENABLE ALWAYS TRIGGER log_events_continue;
ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_never_goes;
ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_only_forward;

-- ---------------------------------------------------------------------------------- rights

-- The log as the `eventsourcing` library names its columns.
CREATE VIEW stored_events AS
    SELECT stream AS originator_id, version AS originator_version, topic, state, seq AS notification_id FROM events;

REVOKE ALL ON FUNCTION log_claim, log_lock, log_lead FROM PUBLIC;
GRANT EXECUTE ON FUNCTION log_claim, log_lock, log_lead TO ems_app;
GRANT SELECT, INSERT ON events TO ems_app;
GRANT SELECT ON log_head, stored_events, alembic_version TO ems_app;

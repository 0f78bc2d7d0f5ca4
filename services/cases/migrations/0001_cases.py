"""Reports, the cases that they belong to, what was decided, and what happened in which order."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """A post has at most one case that is open. `round` counts the times that a case was put before
    somebody: it grows with each escalation, and each round has at most one decision.

    History is append-only: a trigger refuses everything but INSERT, also to the owner of the table.
    The rows of reports are not part of it, since they name people who may delete their accounts.
    """
    op.execute("""
        CREATE TABLE cases (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            post bigint NOT NULL,
            author bigint NOT NULL,
            thread bigint NOT NULL,
            state text NOT NULL CHECK (
                state IN ('opened', 'assigned', 'working', 'escalated', 'closed', 'failed')
            ),
            tier smallint NOT NULL DEFAULT 1,
            round integer NOT NULL DEFAULT 1,
            assignee bigint,
            message text NOT NULL DEFAULT '',
            created_at timestamptz NOT NULL,
            closed_at timestamptz
        )
    """)
    op.execute("""
        CREATE UNIQUE INDEX open_case_of_post ON cases (post)
        WHERE state NOT IN ('closed', 'failed')
    """)
    op.execute("CREATE INDEX cases_by_state ON cases (state, id)")
    op.execute("""
        CREATE INDEX open_cases_by_assignee ON cases (assignee)
        WHERE state NOT IN ('closed', 'failed')
    """)
    op.execute("""
        CREATE TABLE reports (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            case_id bigint NOT NULL REFERENCES cases,
            reporter bigint,
            reason text NOT NULL CHECK (reason IN ('spam', 'abuse', 'off-topic', 'other')),
            note text,
            created_at timestamptz NOT NULL,
            UNIQUE (case_id, reporter)
        )
    """)
    op.execute("CREATE INDEX reports_by_reporter ON reports (reporter, case_id)")
    op.execute("""
        CREATE TABLE decisions (
            case_id bigint NOT NULL REFERENCES cases,
            round integer NOT NULL,
            resolved boolean NOT NULL,
            action text NOT NULL CHECK (
                action IN ('remove-post', 'lock-thread', 'ban-author', 'none')
            ),
            note text,
            decided_by bigint NOT NULL,
            decided_at timestamptz NOT NULL,
            PRIMARY KEY (case_id, round)
        )
    """)
    op.execute("""
        CREATE TABLE history (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            case_id bigint NOT NULL REFERENCES cases,
            step text NOT NULL,
            at timestamptz NOT NULL,
            state text NOT NULL,
            by bigint,
            note text,
            UNIQUE (case_id, step)
        )
    """)
    op.execute("""
        CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE 'The table % is append-only.', TG_TABLE_NAME USING ERRCODE = '42501';
        END
        $$
    """)
    for table in ("history", "decisions"):
        op.execute(f"""
            CREATE TRIGGER {table}_is_append_only
            BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
        """)
    op.execute("""
        CREATE TABLE allowances (
            subject text NOT NULL,
            policy text NOT NULL,
            began_at timestamptz NOT NULL,
            used integer NOT NULL,
            PRIMARY KEY (subject, policy)
        )
    """)
    op.execute("CREATE INDEX allowances_age ON allowances (policy, began_at)")
    op.execute("""
        CREATE TABLE idempotency_keys (
            user_id bigint NOT NULL,
            method text NOT NULL,
            path text NOT NULL,
            key text NOT NULL,
            digest bytea NOT NULL,
            status integer NOT NULL,
            headers text NOT NULL,
            body bytea NOT NULL,
            created_at timestamptz NOT NULL,
            PRIMARY KEY (user_id, method, path, key)
        )
    """)
    op.execute("CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at)")

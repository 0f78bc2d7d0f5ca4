"""Executions of the case workflow: those of the embedded runner, and those of Step Functions."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """`record` is the interpreter's. `due_at` is when somebody has to look at an execution again;
    a process that does so sets it to the end of its lease first. Null: it has ended.

    `remote_executions` has what Step Functions runs. `number` counts the executions of a case: a
    lost one is started again with the next number. `token` is that of the `Work on Case` that waits
    for a person, and `answer` its output until it has been sent.
    """
    op.execute("""
        CREATE TABLE executions (
            case_id bigint PRIMARY KEY,
            record jsonb NOT NULL,
            due_at timestamptz
        )
    """)
    op.execute("CREATE INDEX executions_due ON executions (due_at) WHERE due_at IS NOT NULL")
    op.execute("""
        CREATE TABLE execution_events (
            case_id bigint NOT NULL,
            transition integer NOT NULL,
            position smallint NOT NULL,
            at timestamptz NOT NULL,
            type text NOT NULL,
            state text,
            details jsonb NOT NULL,
            PRIMARY KEY (case_id, transition, position)
        )
    """)
    op.execute("""
        CREATE TABLE remote_executions (
            case_id bigint PRIMARY KEY,
            number integer NOT NULL DEFAULT 1,
            started boolean NOT NULL DEFAULT false,
            token text,
            answer jsonb,
            due_at timestamptz
        )
    """)
    op.execute(
        "CREATE INDEX remote_executions_due ON remote_executions (due_at) WHERE due_at IS NOT NULL"
    )

"""Cases in PostgreSQL: reports, lists and decisions."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from kernel.data import allowance
from kernel.data.database import LARGEST_ID, Connection, Database
from kernel.data.idempotency import IdempotentWrite
from kernel.data.paging import Cursor, Page, page
from kernel.errors import Policy
from kernel.export.export import ALLOWANCES, IDEMPOTENCY_KEYS, NOTICES, Part
from kernel.moderation.log import Subject, record
from services.cases.model import STATES, Case, Choice, NewReport, State
from services.cases.rows import CASES, read, select_for_update
from services.cases.workflow import CaseWorkflow, Outcome

SCHEMA = "0003"
"""The migration that this code needs."""

SUBJECT = Subject(
    words="'Case ' || target",
    thread="(SELECT thread FROM cases WHERE cases.id = target)",
)
"""What a row of the moderation log is about: a case."""

EXPORTED = (
    Part("reports", "reporter = $1", ("case_id",)),
    NOTICES,
    ALLOWANCES,
    IDEMPOTENCY_KEYS,
)
"""What is stored of a user. Who has reported their posts is not theirs to know."""


class CaseStore:
    """Reads and writes cases. Raises `Unavailable` when the database is down, and
    `MalformedRequest` for a cursor of another list."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def check_replay(
        self, write: IdempotentWrite[tuple[Case, bool]], user: int, now: datetime
    ) -> None:
        """Raises `Replayed` if this write has been done before."""
        await write.check_replay(self._database, user, now)

    async def report(
        self,
        new: NewReport,
        now: datetime,
        policy: Policy,
        write: IdempotentWrite[tuple[Case, bool]],
        workflow: CaseWorkflow,
    ) -> tuple[Case, bool]:
        """Add the report to the open case of its post, or to a new one, whose workflow starts in
        the same transaction. Returns the case, and whether it is new. Raises `TooManyRequests`, and
        what `write.begin` raises."""
        async with self._database.transaction() as connection:
            await write.begin(connection, new.reporter, now)
            await allowance.spend(connection, str(new.reporter), policy, now, _REPORTED_MUCH)
            case, is_new = await _open_case(connection, new, now)
            await connection.execute(
                """
                INSERT INTO reports (case_id, reporter, reason, note, created_at)
                VALUES ($1, $2, $3, $4, $5) ON CONFLICT (case_id, reporter) DO NOTHING
                """,
                case,
                new.reporter,
                new.reason,
                new.note,
                now,
            )
            if is_new:
                await workflow.start(connection, case)
            row = await connection.fetchrow(f"{CASES} WHERE cases.id = $1", case)
            assert row is not None  # noqa: S101 - it was inserted, or is locked
            reported = read(row), is_new
            await write.finish(connection, new.reporter, now, reported)
        return reported

    async def find(self, case: int, reporter: int | None) -> Case | None:
        """The case, or None; also None if a reporter is given who has not reported it."""
        row = await self._database.row(
            f"""
            {CASES} WHERE cases.id = $1 AND ($2::bigint IS NULL OR EXISTS (
                SELECT FROM reports WHERE case_id = $1 AND reporter = $2
            ))
            """,
            case,
            reporter,
        )
        return None if row is None else read(row)

    async def list(
        self, states: Sequence[State], reporter: int | None, limit: int, after: str | None
    ) -> Page[Case]:
        """Cases in one of these states, the newest first; those that a user has reported, if one is
        given."""
        kind = f"cases-{'-'.join(states)}-{reporter or 'all'}"
        rows = await self._database.rows(
            f"""
            {CASES} WHERE cases.state = ANY($1) AND cases.id < $2
                AND ($3::bigint IS NULL OR cases.id IN (
                    SELECT case_id FROM reports WHERE reporter = $3
                ))
            ORDER BY cases.id DESC LIMIT $4
            """,  # noqa: S608 - the columns are a constant
            states,
            LARGEST_ID if after is None else Cursor.decode(after, kind, 1).keys[0],
            reporter,
            limit + 1,
        )
        return page([read(row) for row in rows], limit, kind, lambda case: (case.id,))

    async def count(self) -> Mapping[State, int]:
        """The number of cases in each state."""
        rows = await self._database.rows("SELECT state, count(*) FROM cases GROUP BY state")
        found = {row["state"]: row["count"] for row in rows}
        return {state: found.get(state, 0) for state in STATES}

    async def decide(
        self,
        case: int,
        actor: int,
        choice: Choice,
        now: datetime,
        allow: Callable[[Case], None],
        workflow: CaseWorkflow,
    ) -> Case | None:
        """Store the decision of the present round and answer the workflow, in one transaction.
        Returns the case as it is then, or None when there is none. `allow` raises unless this case,
        as it is, may be decided."""
        async with self._database.transaction() as connection:
            found = await select_for_update(connection, case)
            if found is None:
                return None
            allow(found)
            await record(connection, found.act(actor, choice), now)
            await connection.execute(
                """
                INSERT INTO decisions
                    (case_id, round, resolved, action, note, decided_by, decided_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                case,
                found.round,
                choice.resolved,
                choice.action,
                choice.note,
                actor,
                now,
            )
            await connection.execute(
                """
                INSERT INTO history (case_id, step, at, state, by, note)
                VALUES ($1, $2, $3, $4, $5, $6)
                """,
                case,
                f"decision {found.round}",
                now,
                found.state,
                actor,
                choice.action if choice.resolved else "not resolved",
            )
            message = found.message + ("resolved..." if choice.resolved else "unresolved...")
            await connection.execute("UPDATE cases SET message = $2 WHERE id = $1", case, message)
            await workflow.answer(connection, case, Outcome(choice.resolved, message))
            return await select_for_update(connection, case)


_REPORTED_MUCH = "You have reported many posts today. Try again tomorrow."


async def _open_case(connection: Connection, new: NewReport, now: datetime) -> tuple[int, bool]:
    """The id of the post's open case, locked, and whether it is new. Two reports at once end in the
    same case: the index lets one of them insert, and the other waits and then finds it."""
    while True:
        found: int | None = await connection.fetchval(
            """
            SELECT id FROM cases WHERE post = $1 AND state NOT IN ('closed', 'failed') FOR UPDATE
            """,
            new.post,
        )
        if found is not None:
            return found, False
        found = await connection.fetchval(
            """
            INSERT INTO cases (post, author, thread, state, created_at)
            VALUES ($1, $2, $3, 'opened', $4)
            ON CONFLICT (post) WHERE state NOT IN ('closed', 'failed') DO NOTHING RETURNING id
            """,
            new.post,
            new.author,
            new.thread,
            now,
        )
        if found is not None:
            return found, True

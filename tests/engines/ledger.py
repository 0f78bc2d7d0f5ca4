"""`CaseTasks` on tables of a test: what was done, how often, and a person's decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from kernel.data.database import Connection, Database
from kernel.errors import Unavailable
from services.cases.workflow import Outcome

TABLES = """
    CREATE TABLE ledger_cases (
        case_id bigint PRIMARY KEY,
        message text NOT NULL DEFAULT '',
        decision boolean,
        failure text
    );
    CREATE TABLE ledger_steps (
        case_id bigint, step text, PRIMARY KEY (case_id, step)
    );
    CREATE TABLE ledger_acts (case_id bigint NOT NULL, key text UNIQUE);
    CREATE TABLE ledger_calls (case_id bigint NOT NULL, state text NOT NULL, step text NOT NULL);
"""
FOR_GOOD = 1_000


class StepBroken(Exception):
    """A step failed."""


@dataclass
class LedgerTasks:
    """Does each step once, however often it is called. `failures` has the number of a state's next
    calls that fail; with `unavailable`, they fail with `Unavailable`."""

    database: Database
    failures: dict[str, int] = field(default_factory=dict)
    unavailable: bool = False

    async def open(self, case: int, step: str) -> str:
        await self._called(case, "Open Case", step)
        return await self._once(case, step, f"Case {case:03d}: opened...")

    async def assign(self, case: int, step: str) -> str:
        await self._called(case, "Assign Case", step)
        return await self._once(case, step, "assigned...")

    async def work(self, case: int, step: str) -> Outcome | None:
        await self._called(case, "Work on Case", step)
        row = await self.database.row("SELECT * FROM ledger_cases WHERE case_id = $1", case)
        assert row is not None
        if row["decision"] is None:
            return None
        return Outcome(row["decision"], row["message"])

    async def close(self, case: int, step: str) -> str:
        await self._called(case, "Close Case", step)
        # Another context commits on its own, and the key makes the act happen once.
        await self.database.write(
            "INSERT INTO ledger_acts VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
            case,
            f"case-{case}",
        )
        return await self._once(case, step, "closed.")

    async def escalate(self, case: int, step: str) -> str:
        await self._called(case, "Escalate Case", step)
        return await self._once(case, step, "escalating.", forget_decision=True)

    async def fail(self, case: int, step: str, error: str, cause: str) -> None:
        await self._called(case, "Step Failed", step)
        await self.database.write(
            "UPDATE ledger_cases SET failure = $2 WHERE case_id = $1", case, f"{error}: {cause}"
        )

    async def decide(self, connection: Connection, case: int, resolved: bool) -> Outcome:
        """Store a person's decision, unless there is one already. Returns the output of `Work on
        Case`."""
        await connection.execute(
            "UPDATE ledger_cases SET decision = $2, message = message || $3"
            " WHERE case_id = $1 AND decision IS NULL",
            case,
            resolved,
            "resolved..." if resolved else "unresolved...",
        )
        row = await connection.fetchrow("SELECT * FROM ledger_cases WHERE case_id = $1", case)
        assert row is not None
        return Outcome(row["decision"], row["message"])

    async def _called(self, case: int, state: str, step: str) -> None:
        await self.database.write("INSERT INTO ledger_calls VALUES ($1, $2, $3)", case, state, step)
        if self.failures.get(state, 0) > 0:
            self.failures[state] -= 1
            if self.unavailable:
                raise Unavailable("The step cannot be done now.")
            raise StepBroken("The step does not work.")

    async def _once(
        self, case: int, step: str, words: str, *, forget_decision: bool = False
    ) -> str:
        async with self.database.transaction() as connection:
            first = await connection.fetchval(
                "INSERT INTO ledger_steps VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true",
                case,
                step,
            )
            message: str = await connection.fetchval(
                """
                INSERT INTO ledger_cases AS known (case_id, message) VALUES ($1, $2)
                ON CONFLICT (case_id) DO UPDATE
                SET message = known.message || CASE WHEN $3 THEN $2 ELSE '' END,
                    decision = CASE WHEN $3 AND $4 THEN NULL ELSE known.decision END
                RETURNING message
                """,
                case,
                words,
                bool(first),
                forget_decision,
            )
        return message


async def acts(database: Database) -> Mapping[int, int]:
    """The number of acts that each case has caused."""
    rows = await database.rows("SELECT case_id, count(*) AS acts FROM ledger_acts GROUP BY case_id")
    return {row["case_id"]: row["acts"] for row in rows}

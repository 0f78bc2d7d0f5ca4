"""Full-text search for the titles of threads in PostgreSQL."""

from kernel.data.database import Database
from kernel.data.paging import Page
from kernel.search.dictionary import Dictionary
from kernel.search.scan import Scan, Searched
from services.threads.model import Thread
from services.threads.store import THREAD_COLUMNS

SEARCHED = Searched("threads", THREAD_COLUMNS, "removal IS NULL")


class SearchStore:
    """Searches titles. Raises `Unavailable` if the database is down or the search takes too long,
    and `MalformedRequest` for a cursor of another search."""

    def __init__(self, database: Database, dictionary: Dictionary) -> None:
        self._scan = Scan(database, dictionary, SEARCHED)

    async def search(self, words: str, limit: int, after: str | None) -> Page[Thread]:
        """The newest threads whose titles have the words. A page may have fewer than `limit`
        threads, or none, although there is a next page."""
        hits = await self._scan.find(words, limit, after)
        threads = []
        for row in map(dict, hits.rows):
            del row["positions"], row["size"]
            threads.append(Thread(**row))
        return Page(threads, hits.next_cursor)

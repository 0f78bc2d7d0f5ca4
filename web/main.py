"""The process that serves the page. It reads what it shows from the services."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from starlette.types import ASGIApp

from kernel.calls.settings import CallSettings
from kernel.clients import ServiceClient, http_client
from kernel.http.app import create_app
from kernel.process.lifecycle import Lifecycle
from kernel.process.serve import run
from kernel.process.settings import HttpUrl, ProcessSettings, ServiceTokens, load
from kernel.readers.posts import HttpPostReader
from kernel.readers.threads import HttpThreadReader
from kernel.readers.users import HttpUserReader
from web.page import Page
from web.reading import Sources
from web.settings import PageSettings


class Settings(ProcessSettings, CallSettings, PageSettings):
    """The settings of this process: the page's, and the URLs of the contexts that it reads."""

    users_url: HttpUrl
    users_service_token: ServiceTokens
    threads_url: HttpUrl
    threads_service_token: ServiceTokens
    posts_url: HttpUrl
    posts_service_token: ServiceTokens


@asynccontextmanager
async def application(settings: Settings, lifecycle: Lifecycle) -> AsyncIterator[ASGIApp]:
    """Build the application; its connections are closed when the block ends."""
    async with http_client(settings.call_timeout) as http:
        users = ServiceClient(http, "users", settings.users_url, settings.users_service_token[0])
        threads = ServiceClient(
            http, "threads", settings.threads_url, settings.threads_service_token[0]
        )
        posts = ServiceClient(http, "posts", settings.posts_url, settings.posts_service_token[0])
        sources = Sources(HttpUserReader(users), HttpThreadReader(threads), HttpPostReader(posts))
        served_by = f"web/{settings.instance}" if settings.show_instance else None
        page = Page.build(sources, settings.public_origin, served_by, settings.rules_file)
        breakers = [called.breaker for called in (users, threads, posts)]
        app = create_app("web", [], settings, lifecycle, page.routes, breakers)
        yield page.around(app)


if __name__ == "__main__":
    settings = load(Settings)
    run(partial(application, settings), settings, "web")

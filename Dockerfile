# Every image of the board is a named stage here, so that their contents can be compared; `make
# images` builds all. The reasons are in docs/decisions/images.md.
#
# A stage copies its dependencies first and its code last, so that a change to the code rebuilds
# only the last layers.

FROM python:3.13-slim-bookworm AS base
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ONLY_BINARY=:all: \
    PIP_REQUIRE_HASHES=1 \
    PIP_ROOT_USER_ACTION=ignore \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /board
LABEL org.opencontainers.image.vendor="The board" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.base.name="docker.io/library/python:3.13-slim-bookworm"
# The base image has no bytecode: with a read-only root, each start would compile its imports again.
RUN python -m compileall -q -x "/(ensurepip|idlelib|pip|test|tkinter|turtledemo)/" \
    --invalidation-mode unchecked-hash /usr/local/lib/python3.13
COPY containers/__init__.py containers/healthcheck.py containers/


# Dependencies. Those of all services are one layer, which their images share.

FROM base AS service-requirements
COPY requirements/service.txt requirements/
RUN pip install -r requirements/service.txt
ENV HOST=0.0.0.0 PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=3s --timeout=3s --retries=10 \
    CMD ["python", "-IS", "containers/healthcheck.py", "/readyz"]

FROM service-requirements AS users-requirements
COPY requirements/users.txt requirements/
RUN pip install -r requirements/users.txt

FROM service-requirements AS posts-requirements
COPY requirements/posts.txt requirements/
RUN pip install -r requirements/posts.txt

FROM service-requirements AS cases-requirements
COPY requirements/cases.txt requirements/
RUN pip install -r requirements/cases.txt

FROM service-requirements AS web-requirements
COPY requirements/web.txt requirements/
RUN pip install -r requirements/web.txt

FROM service-requirements AS monolith-requirements
COPY requirements/monolith.txt requirements/
RUN pip install -r requirements/monolith.txt

FROM service-requirements AS board-requirements
COPY requirements/board.txt requirements/
# These libraries bring their own tests, the tests' helpers, and the dialects of other databases.
RUN pip install -r requirements/board.txt && \
    rm -r /usr/local/lib/python3.13/site-packages/alembic/testing \
          /usr/local/lib/python3.13/site-packages/greenlet/tests \
          /usr/local/lib/python3.13/site-packages/sqlalchemy/dialects/mssql \
          /usr/local/lib/python3.13/site-packages/sqlalchemy/dialects/mysql \
          /usr/local/lib/python3.13/site-packages/sqlalchemy/dialects/oracle \
          /usr/local/lib/python3.13/site-packages/sqlalchemy/testing

FROM base AS gateway-requirements
COPY requirements/gateway.txt requirements/
RUN pip install -r requirements/gateway.txt


# The services: the kernel and one context each. With Amazon's CA certificates, those that use a
# database can verify the server.

FROM users-requirements AS users
COPY containers/rds-ca.pem containers/
COPY kernel/ kernel/
COPY services/__init__.py services/
COPY services/users/*.py services/users/
LABEL org.opencontainers.image.title="board/users" \
      org.opencontainers.image.description="The board's users service"
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.users.main"]

FROM service-requirements AS threads
COPY containers/rds-ca.pem containers/
COPY kernel/ kernel/
COPY services/__init__.py services/
COPY services/threads/*.py services/threads/
LABEL org.opencontainers.image.title="board/threads" \
      org.opencontainers.image.description="The board's threads service"
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.threads.main"]

FROM posts-requirements AS posts
COPY containers/rds-ca.pem containers/
COPY kernel/ kernel/
COPY services/__init__.py services/
COPY services/posts/*.py services/posts/
COPY services/posts/markup/ services/posts/markup/
COPY services/posts/reading/ services/posts/reading/
COPY services/posts/search/ services/posts/search/
COPY services/posts/stores/ services/posts/stores/
LABEL org.opencontainers.image.title="board/posts" \
      org.opencontainers.image.description="The board's posts service"
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.posts.main"]

FROM cases-requirements AS cases
COPY containers/rds-ca.pem containers/
COPY kernel/ kernel/
COPY services/__init__.py services/
COPY services/cases/*.py services/cases/
COPY services/cases/engines/ services/cases/engines/
COPY workflow/ workflow/
COPY infra/case-workflow.asl.json infra/
LABEL org.opencontainers.image.title="board/cases" \
      org.opencontainers.image.description="The board's cases service"
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "services.cases.main"]

FROM web-requirements AS web
COPY kernel/ kernel/
COPY web/ web/
LABEL org.opencontainers.image.title="board/web" \
      org.opencontainers.image.description="The board's page"
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "web.main"]


# The monolith, one process: the kernel, every context, and the page.

FROM monolith-requirements AS monolith
COPY containers/rds-ca.pem containers/
COPY kernel/ kernel/
COPY services/__init__.py services/
COPY services/users/*.py services/users/
COPY services/threads/*.py services/threads/
COPY services/posts/*.py services/posts/
COPY services/posts/markup/ services/posts/markup/
COPY services/posts/reading/ services/posts/reading/
COPY services/posts/search/ services/posts/search/
COPY services/posts/stores/ services/posts/stores/
COPY services/cases/*.py services/cases/
COPY services/cases/engines/ services/cases/engines/
COPY workflow/ workflow/
COPY infra/case-workflow.asl.json infra/
COPY web/ web/
COPY monolith/ monolith/
LABEL org.opencontainers.image.title="board/monolith" \
      org.opencontainers.image.description="The board as one process"
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "monolith.main"]


# The local load balancer, with the template from which the ALB on AWS is created too.

FROM gateway-requirements AS gateway
COPY gateway/ gateway/
COPY infra/routing.yml infra/
LABEL org.opencontainers.image.title="board/gateway" \
      org.opencontainers.image.description="A local Application Load Balancer"
ENV PORT=8080
EXPOSE 8080
# The template answers this path with a fixed response: the gateway is healthy without targets.
HEALTHCHECK --interval=3s --timeout=3s --retries=10 \
    CMD ["python", "-IS", "containers/healthcheck.py", "/api"]
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "gateway"]


# The operator's commands: the only image with the migrations and their libraries.

FROM board-requirements AS board
COPY containers/rds-ca.pem containers/
COPY kernel/ kernel/
COPY services/ services/
COPY workflow/ workflow/
COPY infra/case-workflow.asl.json infra/
COPY board/ board/
COPY topology/ topology/
COPY containers/errors.py containers/data_volume.py containers/secret_files.py \
     containers/prepare.py containers/
# New volumes copy the owner and the mode of these folders.
RUN install --directory --mode=0700 --owner=10001 --group=10001 /rules /scratch /secrets \
    /secrets/all /secrets/postgres /secrets/bootstrap /secrets/databases \
    /secrets/users /secrets/threads /secrets/posts /secrets/cases /secrets/web
LABEL org.opencontainers.image.title="board/board" \
      org.opencontainers.image.description="The board's commands for operators"
# Its commands serve no requests.
HEALTHCHECK NONE
RUN python -m compileall -q --invalidation-mode unchecked-hash .
USER 10001:10001
ENTRYPOINT ["python", "-m", "board"]
CMD ["--help"]

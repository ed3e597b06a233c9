# The service alone: no PostgreSQL, no installer, no compiler. docker-compose.yml runs it beside a database.
#
# The base is pinned to a minor release by tag, so that its security fixes arrive with a rebuild. Whoever publishes
# the image adds the digest of the base they tested: python:3.13-slim-trixie@sha256:…

FROM python:3.13-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /build

# The locked packages, each checked against its hash; this layer lasts as long as the lock does. The hatchling
# installed from among them can only be the locked one.
COPY requirements.txt ./
# hadolint ignore=DL3013
RUN python -m pip wheel --require-hashes --only-binary :all: --wheel-dir /wheels --requirement requirements.txt \
    && python -m pip install --root-user-action ignore --no-index --find-links /wheels hatchling

# Of those, what the service asks for: the embedded PostgreSQL and the build back end are not among it.
COPY pyproject.toml README.md LICENSE ./
COPY service service
COPY migrations migrations
RUN python -m pip wheel --no-index --no-deps --no-build-isolation --wheel-dir /wheels . \
    && python -m venv --without-pip /opt/dateline \
    && python -m pip --python /opt/dateline/bin/python install --no-index --find-links /wheels dateline


FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="dateline" \
      org.opencontainers.image.description="Event timelines with three clocks, attributed claims and diffs" \
      org.opencontainers.image.licenses="Apache-2.0"

RUN python -m pip uninstall --yes --root-user-action ignore pip \
    && groupadd --gid 10001 dateline \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin dateline

COPY --from=build /opt/dateline /opt/dateline

# The file system may be read-only: modules are compiled above, and nothing is written but to /tmp.
ENV PATH=/opt/dateline/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DATELINE_HOST=0.0.0.0 \
    DATELINE_PORT=8000

USER 10001:10001
WORKDIR /tmp
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['DATELINE_PORT']), timeout=4); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]

ENTRYPOINT ["dateline"]
CMD ["serve"]

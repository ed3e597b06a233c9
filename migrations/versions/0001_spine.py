"""The spine: revisions, named resources, immutable event versions and the posting index over them."""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Seconds are inclusive Unix seconds, proleptic Gregorian, UTC; an open or unknown bound is the smallest or largest
# bigint, so that no comparison meets a null. A revision's row is written last, when its counts are known, hence the
# deferred references. Revisions run from `since` up to but not including `until`.
TABLES = (
    """
    CREATE TABLE head (
        id smallint PRIMARY KEY CHECK (id = 1),
        revision bigint NOT NULL,
        recorded timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE revision (
        revision bigint PRIMARY KEY,
        recorded timestamptz NOT NULL CONSTRAINT revision_recorded UNIQUE,
        author text NOT NULL,
        cause text,
        message text,
        counts json NOT NULL,
        versions bigint NOT NULL
    )
    """,
    """
    CREATE TABLE resource (
        resource integer PRIMARY KEY,
        kind text NOT NULL CHECK (kind IN ('actor', 'source', 'collection', 'timeline')),
        slug text NOT NULL,
        created bigint NOT NULL REFERENCES revision DEFERRABLE INITIALLY DEFERRED,
        CONSTRAINT resource_slug UNIQUE (kind, slug)
    )
    """,
    """
    CREATE TABLE resource_version (
        resource integer NOT NULL REFERENCES resource,
        revision bigint NOT NULL REFERENCES revision DEFERRABLE INITIALLY DEFERRED,
        document json,
        search text NOT NULL,
        PRIMARY KEY (resource, revision)
    )
    """,
    "CREATE INDEX resource_version_revision ON resource_version (revision)",
    """
    CREATE TABLE resource_use (
        resource integer NOT NULL REFERENCES resource,
        collection integer NOT NULL REFERENCES resource,
        since bigint NOT NULL REFERENCES revision DEFERRABLE INITIALLY DEFERRED,
        PRIMARY KEY (resource, collection)
    )
    """,
    """
    CREATE TABLE event (
        event bigint PRIMARY KEY,
        id uuid NOT NULL CONSTRAINT event_id UNIQUE,
        collection integer NOT NULL REFERENCES resource,
        key text,
        CONSTRAINT event_key UNIQUE (collection, key)
    )
    """,
    """
    CREATE TABLE version (
        event bigint NOT NULL REFERENCES event,
        revision bigint NOT NULL REFERENCES revision DEFERRABLE INITIALLY DEFERRED,
        t_lo bigint NOT NULL,
        t_hi bigint NOT NULL,
        span smallint NOT NULL,
        known bigint NOT NULL,
        terms integer[] NOT NULL,
        actors integer[] NOT NULL,
        sources integer[] NOT NULL,
        document json,
        facts json,
        PRIMARY KEY (event, revision)
    )
    """,
    "CREATE INDEX version_date ON version (t_lo, event, revision)",
    "CREATE INDEX version_revision ON version (revision DESC, event)",
    """
    CREATE TABLE term (
        term integer PRIMARY KEY,
        dimension text NOT NULL,
        value text NOT NULL,
        CONSTRAINT term_value UNIQUE (dimension, value)
    )
    """,
    """
    CREATE TABLE term_span (
        term integer NOT NULL REFERENCES term,
        span smallint NOT NULL,
        postings bigint NOT NULL,
        PRIMARY KEY (term, span)
    )
    """,
    """
    CREATE TABLE posting (
        term integer NOT NULL,
        span smallint NOT NULL,
        t_lo bigint NOT NULL,
        t_hi bigint NOT NULL,
        event bigint NOT NULL,
        since bigint NOT NULL,
        until bigint NOT NULL,
        known bigint NOT NULL
    ) WITH (autovacuum_vacuum_insert_scale_factor = 0.01)
    """,
    "CREATE UNIQUE INDEX posting_walk ON posting (term, span, t_lo, t_hi, event, since, until, known)",
    """
    CREATE TABLE key (
        key text PRIMARY KEY,
        name text NOT NULL,
        secret_sha256 bytea NOT NULL,
        scope text NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
        collections text[],
        created timestamptz NOT NULL,
        revoked timestamptz
    )
    """,
    """
    CREATE TABLE idempotency (
        caller text NOT NULL,
        key text NOT NULL,
        request_sha256 bytea NOT NULL,
        status smallint NOT NULL,
        headers json NOT NULL,
        body bytea NOT NULL,
        kept_until timestamptz NOT NULL,
        PRIMARY KEY (caller, key)
    )
    """,
    "CREATE INDEX idempotency_kept_until ON idempotency (kept_until)",
)

COMMENTS = {
    "head": "One row: the newest committed revision. Its lock puts writers in line: numbers have no gap and follow commit order.",
    "revision": "The log. counts: {collection: {created, revised, retracted}, '': {actors, …}}; versions: event versions up to here.",
    "resource": "Actors, sources, collections and timelines by slug. A slug made again after deletion is the same row.",
    "resource_version": "What a resource was from a revision on, only ever inserted. document null: deleted. search: folded, for q.",
    "resource_use": "The first revision at which an event of a collection named an actor or source: who sees it.",
    "event": "Identity. event: the number within the id (milliseconds << 18 | place in its revision), so both order alike.",
    "version": "One state of an event, only ever inserted. document null: retracted. facts: for lenses. span: class of length.",
    "term": "A value of one dimension by which events are selected.",
    "term_span": "Which walks exist for a term, and about how long each is. span | 16: postings closed.",
    "posting": "Derived index: term -> events in date order. Closed ones live in span | 16: the present never pays for the past.",
    "key": "Callers' keys: scope, and the SHA-256 of the secret half. collections null: all.",
    "idempotency": "Answers kept for a repeated Idempotency-Key of the same caller.",
}


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)
    for table, text in COMMENTS.items():
        quoted = text.replace("'", "''")
        op.execute(f"COMMENT ON TABLE {table} IS '{quoted}'")
    op.execute("INSERT INTO head (id, revision, recorded) VALUES (1, 0, 'epoch')")


def downgrade() -> None:
    for table in reversed(COMMENTS):
        op.execute(f"DROP TABLE {table}")

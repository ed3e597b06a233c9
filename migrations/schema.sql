-- The migrated schema, written by `make schema`; change the migrations, not this page.

CREATE TABLE public.actor_word (
    word text NOT NULL COLLATE pg_catalog."C",
    resource integer NOT NULL,
    revision bigint NOT NULL
);

COMMENT ON TABLE public.actor_word IS 'Derived: the words, folded, in the names that an actor had from a revision on. Only ever inserted.';

CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);

CREATE TABLE public.event (
    event bigint NOT NULL,
    id uuid NOT NULL,
    collection integer NOT NULL,
    key text
);

COMMENT ON TABLE public.event IS 'Identity. event: the number within the id (milliseconds << 18 | place in its revision), so both order alike.';

CREATE TABLE public.head (
    id smallint NOT NULL,
    revision bigint NOT NULL,
    recorded timestamp with time zone NOT NULL,
    index_generation smallint DEFAULT 1 NOT NULL,
    CONSTRAINT head_id_check CHECK ((id = 1))
);

COMMENT ON TABLE public.head IS 'One row: the newest committed revision. Its lock puts writers in line: numbers have no gap and follow commit order.';

COMMENT ON COLUMN public.head.index_generation IS 'Which terms the index holds. Below what the service posts, migrating makes the index anew from the versions.';

CREATE TABLE public.idempotency (
    caller text NOT NULL,
    key text NOT NULL,
    request_sha256 bytea NOT NULL,
    status smallint NOT NULL,
    headers json NOT NULL,
    body bytea NOT NULL,
    kept_until timestamp with time zone NOT NULL
);

COMMENT ON TABLE public.idempotency IS 'Answers kept for a repeated Idempotency-Key of the same caller.';

CREATE TABLE public.key (
    key text NOT NULL,
    name text NOT NULL,
    secret_sha256 bytea NOT NULL,
    scope text NOT NULL,
    collections text[],
    created timestamp with time zone NOT NULL,
    revoked timestamp with time zone,
    CONSTRAINT key_scope_check CHECK ((scope = ANY (ARRAY['read'::text, 'write'::text, 'admin'::text])))
);

COMMENT ON TABLE public.key IS 'Callers'' keys: scope, and the SHA-256 of the secret half. collections null: all.';

CREATE TABLE public.merge (
    actor integer NOT NULL,
    revision bigint NOT NULL,
    into_actor integer
);

COMMENT ON TABLE public.merge IS 'From a revision on an actor stands for another (into_actor null: for itself again), only ever inserted.';

CREATE TABLE public.posting (
    term integer NOT NULL,
    span smallint NOT NULL,
    t_lo bigint NOT NULL,
    t_hi bigint NOT NULL,
    event bigint NOT NULL,
    since bigint NOT NULL,
    until bigint NOT NULL,
    known bigint NOT NULL
)
WITH (autovacuum_vacuum_insert_scale_factor='0.01');

COMMENT ON TABLE public.posting IS 'Derived index: term -> events in date order. Closed ones live in span | 16: the present never pays for the past.';

CREATE TABLE public.resource (
    resource integer NOT NULL,
    kind text NOT NULL,
    slug text NOT NULL,
    created bigint NOT NULL,
    CONSTRAINT resource_kind_check CHECK ((kind = ANY (ARRAY['actor'::text, 'source'::text, 'collection'::text, 'timeline'::text])))
);

COMMENT ON TABLE public.resource IS 'Actors, sources, collections and timelines by slug. A slug made again after deletion is the same row.';

CREATE TABLE public.resource_use (
    resource integer NOT NULL,
    collection integer NOT NULL,
    since bigint NOT NULL
);

COMMENT ON TABLE public.resource_use IS 'The first revision at which an event of a collection named an actor or source: who sees it.';

CREATE TABLE public.resource_version (
    resource integer NOT NULL,
    revision bigint NOT NULL,
    document json,
    search text NOT NULL
);

COMMENT ON TABLE public.resource_version IS 'What a resource was from a revision on, only ever inserted. document null: deleted. search: folded, for q.';

CREATE TABLE public.revision (
    revision bigint NOT NULL,
    recorded timestamp with time zone NOT NULL,
    author text NOT NULL,
    cause text,
    message text,
    counts json NOT NULL,
    versions bigint NOT NULL
);

COMMENT ON TABLE public.revision IS 'The log. counts: {collection: {created, revised, retracted}, '''': {actors, …}}; versions: event versions up to here.';

CREATE TABLE public.term (
    term integer NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL
);

COMMENT ON TABLE public.term IS 'A value of one dimension by which events are selected.';

CREATE TABLE public.term_span (
    term integer NOT NULL,
    span smallint NOT NULL,
    postings bigint NOT NULL
);

COMMENT ON TABLE public.term_span IS 'Which walks exist for a term, and about how long each is. span | 16: postings closed.';

CREATE TABLE public.version (
    event bigint NOT NULL,
    revision bigint NOT NULL,
    t_lo bigint NOT NULL,
    t_hi bigint NOT NULL,
    span smallint NOT NULL,
    known bigint NOT NULL,
    terms integer[] NOT NULL,
    actors integer[] NOT NULL,
    sources integer[] NOT NULL,
    document json,
    facts json,
    told bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    words integer[] DEFAULT '{}'::integer[] NOT NULL,
    facets integer[] DEFAULT '{}'::integer[] NOT NULL
);

COMMENT ON TABLE public.version IS 'One state of an event, only ever inserted. document null: retracted. facts: for lenses. span: class of length.';

COMMENT ON COLUMN public.version.terms IS 'What the version is found by, but for its words.';

COMMENT ON COLUMN public.version.told IS 'Pairs of bounds: dates other than its own that claims give the event, by which accounts of it are ordered.';

COMMENT ON COLUMN public.version.words IS 'Terms of its words: as many as of all the rest, and seldom looked at.';

COMMENT ON COLUMN public.version.facets IS 'Those of its terms by which events are counted, once more.';

ALTER TABLE ONLY public.actor_word
    ADD CONSTRAINT actor_word_pkey PRIMARY KEY (word, resource, revision);

ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_id UNIQUE (id);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_key UNIQUE (collection, key);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_pkey PRIMARY KEY (event);

ALTER TABLE ONLY public.head
    ADD CONSTRAINT head_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (caller, key);

ALTER TABLE ONLY public.key
    ADD CONSTRAINT key_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_pkey PRIMARY KEY (actor, revision);

ALTER TABLE ONLY public.resource
    ADD CONSTRAINT resource_pkey PRIMARY KEY (resource);

ALTER TABLE ONLY public.resource
    ADD CONSTRAINT resource_slug UNIQUE (kind, slug);

ALTER TABLE ONLY public.resource_use
    ADD CONSTRAINT resource_use_pkey PRIMARY KEY (resource, collection);

ALTER TABLE ONLY public.resource_version
    ADD CONSTRAINT resource_version_pkey PRIMARY KEY (resource, revision);

ALTER TABLE ONLY public.revision
    ADD CONSTRAINT revision_pkey PRIMARY KEY (revision);

ALTER TABLE ONLY public.revision
    ADD CONSTRAINT revision_recorded UNIQUE (recorded);

ALTER TABLE ONLY public.term
    ADD CONSTRAINT term_pkey PRIMARY KEY (term);

ALTER TABLE ONLY public.term_span
    ADD CONSTRAINT term_span_pkey PRIMARY KEY (term, span);

ALTER TABLE ONLY public.term
    ADD CONSTRAINT term_value UNIQUE (dimension, value);

ALTER TABLE ONLY public.version
    ADD CONSTRAINT version_pkey PRIMARY KEY (event, revision);

CREATE INDEX idempotency_kept_until ON public.idempotency USING btree (kept_until);

CREATE INDEX merge_revision ON public.merge USING btree (revision);

CREATE UNIQUE INDEX posting_walk ON public.posting USING btree (term, span, t_lo, t_hi, event, since, until, known);

CREATE INDEX resource_version_revision ON public.resource_version USING btree (revision);

CREATE INDEX term_range ON public.term USING btree (dimension, value COLLATE "C");

CREATE INDEX version_date ON public.version USING btree (t_lo, event, revision);

CREATE INDEX version_known ON public.version USING btree (known, event);

CREATE INDEX version_revision ON public.version USING btree (revision DESC, event);

ALTER TABLE ONLY public.actor_word
    ADD CONSTRAINT actor_word_resource_revision_fkey FOREIGN KEY (resource, revision) REFERENCES public.resource_version(resource, revision);

ALTER TABLE ONLY public.event
    ADD CONSTRAINT event_collection_fkey FOREIGN KEY (collection) REFERENCES public.resource(resource);

ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_actor_fkey FOREIGN KEY (actor) REFERENCES public.resource(resource);

ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_into_actor_fkey FOREIGN KEY (into_actor) REFERENCES public.resource(resource);

ALTER TABLE ONLY public.merge
    ADD CONSTRAINT merge_revision_fkey FOREIGN KEY (revision) REFERENCES public.revision(revision) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.resource
    ADD CONSTRAINT resource_created_fkey FOREIGN KEY (created) REFERENCES public.revision(revision) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.resource_use
    ADD CONSTRAINT resource_use_collection_fkey FOREIGN KEY (collection) REFERENCES public.resource(resource);

ALTER TABLE ONLY public.resource_use
    ADD CONSTRAINT resource_use_resource_fkey FOREIGN KEY (resource) REFERENCES public.resource(resource);

ALTER TABLE ONLY public.resource_use
    ADD CONSTRAINT resource_use_since_fkey FOREIGN KEY (since) REFERENCES public.revision(revision) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.resource_version
    ADD CONSTRAINT resource_version_resource_fkey FOREIGN KEY (resource) REFERENCES public.resource(resource);

ALTER TABLE ONLY public.resource_version
    ADD CONSTRAINT resource_version_revision_fkey FOREIGN KEY (revision) REFERENCES public.revision(revision) DEFERRABLE INITIALLY DEFERRED;

ALTER TABLE ONLY public.term_span
    ADD CONSTRAINT term_span_term_fkey FOREIGN KEY (term) REFERENCES public.term(term);

ALTER TABLE ONLY public.version
    ADD CONSTRAINT version_event_fkey FOREIGN KEY (event) REFERENCES public.event(event);

ALTER TABLE ONLY public.version
    ADD CONSTRAINT version_revision_fkey FOREIGN KEY (revision) REFERENCES public.revision(revision) DEFERRABLE INITIALLY DEFERRED;

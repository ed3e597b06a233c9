"""What one would otherwise write: a page of events by FastAPI and SQLAlchemy, the usual way and a tuned one.

    python -m benchmarks.usual PORT WORKERS

Both have the events of a store as they are at its head, in the tables of a textbook (`filled`), and answer the easier
question of what begins in a window: no imprecise dates, no past, no lenses, no standing of its own.

- `/usual/events` loads objects with what belongs to them and has Pydantic check and write them.
- `/tuned/events` takes rows of columns, with documents that were rendered beforehand, and joins bytes.
"""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import BigInteger, ForeignKey, Index, MetaData, Text, select
from sqlalchemy.dialects.postgresql import ARRAY, JSON
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, defer, mapped_column, relationship, selectinload

from benchmarks.serving import serve

URL = "DATELINE_BENCHMARK_URL"
SCHEMA = "usual"
LIMIT = 50


class Base(DeclarativeBase):
    metadata = MetaData(schema=SCHEMA)


class Actor(Base):
    __tablename__ = "actor"
    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    type: Mapped[str | None] = mapped_column(Text)
    document: Mapped[Any] = mapped_column(JSON)


class Source(Base):
    __tablename__ = "source"
    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    publisher: Mapped[str | None] = mapped_column(ForeignKey("usual.actor.slug"))
    published: Mapped[str | None] = mapped_column(Text)
    document: Mapped[Any] = mapped_column(JSON)


class Participation(Base):
    __tablename__ = "participation"
    event_id: Mapped[str] = mapped_column(ForeignKey("usual.event.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    actor_slug: Mapped[str] = mapped_column(ForeignKey("usual.actor.slug"))
    role: Mapped[str | None] = mapped_column(Text)
    actor: Mapped[Actor] = relationship()


class Claim(Base):
    __tablename__ = "claim"
    event_id: Mapped[str] = mapped_column(ForeignKey("usual.event.id"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    source_slug: Mapped[str] = mapped_column(ForeignKey("usual.source.slug"))
    stance: Mapped[str] = mapped_column(Text)
    published: Mapped[str | None] = mapped_column(Text)
    quote: Mapped[str | None] = mapped_column(Text)
    source: Mapped[Source] = relationship()


class Event(Base):
    __tablename__ = "event"
    id: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    occurred: Mapped[str | None] = mapped_column(Text)
    standing: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    begins: Mapped[int] = mapped_column(BigInteger)
    document: Mapped[Any] = mapped_column(JSON)
    participations: Mapped[list[Participation]] = relationship(order_by=Participation.place)
    claims: Mapped[list[Claim]] = relationship(order_by=Claim.place)
    __table_args__ = (Index("event_begins", "begins", "id"),)


class Shown(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class ShownActor(Shown):
    slug: str
    name: str
    type: str | None


class ShownSource(Shown):
    slug: str
    title: str
    publisher: str | None
    published: str | None


class ShownParticipation(Shown):
    role: str | None
    actor: ShownActor


class ShownClaim(Shown):
    stance: str
    published: str | None
    quote: str | None
    source: ShownSource


class ShownEvent(Shown):
    id: str
    title: str
    summary: str | None
    kind: str | None
    occurred: str | None
    standing: str
    tags: list[str]
    participations: list[ShownParticipation]
    claims: list[ShownClaim]


class Page(BaseModel):
    items: list[ShownEvent]
    more: bool


def json_column(value: str) -> Any:
    """A JSON column as the bytes it is, for whoever only passes it on."""
    return value.encode()


def create_app() -> FastAPI:
    engines: list[AsyncEngine] = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        engines.append(create_async_engine(os.environ[URL], pool_size=10, json_deserializer=json_column))
        yield
        await engines[0].dispose()

    app = FastAPI(lifespan=lifespan)

    @app.get("/usual/events")
    async def usual(begin: int, end: int) -> Page:
        wanted = (
            select(Event)
            .where(Event.begins.between(begin, end))
            .order_by(Event.begins, Event.id)
            .limit(LIMIT + 1)
            .options(
                defer(Event.document),
                selectinload(Event.participations).selectinload(Participation.actor).defer(Actor.document),
                selectinload(Event.claims).selectinload(Claim.source).defer(Source.document),
            )
        )
        async with async_sessionmaker(engines[0])() as session:
            found = (await session.scalars(wanted)).all()
            items = [ShownEvent.model_validate(event) for event in found[:LIMIT]]
        return Page(items=items, more=len(found) > LIMIT)

    @app.get("/tuned/events")
    async def tuned(begin: int, end: int) -> Response:
        page = (
            select(Event.id, Event.document)
            .where(Event.begins.between(begin, end))
            .order_by(Event.begins, Event.id)
            .limit(LIMIT + 1)
        )
        async with AsyncSession(engines[0]) as session:
            found = (await session.execute(page)).all()
            ids = [row.id for row in found[:LIMIT]]
            named = select(Participation.actor_slug).where(Participation.event_id.in_(ids))
            cited = select(Claim.source_slug).where(Claim.event_id.in_(ids))
            included = {
                kind: (await session.execute(select(table.slug, table.document).where(table.slug.in_(slugs)))).all()
                for kind, table, slugs in (("actors", Actor, named), ("sources", Source, cited))
            }
        parts = {
            kind: b",".join(b'"%s":%s' % (row.slug.encode(), row.document) for row in rows)
            for kind, rows in included.items()
        }
        body = b'{"items":[%s],"included":{"actors":{%s},"sources":{%s}},"more":%s}' % (
            b",".join(row.document for row in found[:LIMIT]),
            parts["actors"],
            parts["sources"],
            b"true" if len(found) > LIMIT else b"false",
        )
        return Response(body, media_type="application/json")

    return app


def main() -> None:
    port, workers = map(int, sys.argv[1:])
    serve("benchmarks.usual:create_app", port, workers, factory=True)


if __name__ == "__main__":
    main()

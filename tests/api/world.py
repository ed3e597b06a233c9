"""One example in progress: the same history written to the real service and to the plain model.

Every example has collections, actors, sources, timelines and keys of its own, by names no other example uses, and each
of its selections keeps to them, so one running service carries all examples. Ids, revision numbers and recorded times
are taken from the service's answers; all else in a document is the model's to say.
"""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import combinations, count
from typing import Any, Protocol

import asyncpg
import httpx

from service.storage.keys import make_key
from tests.api.strategies import ACTORS, COLLECTIONS, FIRST_SOURCES, NAMES, OF_BATCHES, History
from tests.model import (
    ANYONE,
    OTHERS,
    PINS,
    WRITER,
    Caller,
    Change,
    Document,
    Form,
    Model,
    Plan,
    Selection,
    Snapshot,
    View,
    filled,
    instant,
    merged,
    see,
    settled,
    span,
)

COUNTS: Counter[tuple[str, ...]] = Counter()
"""How often each kind of write, lens, parameter, pair of parameters and so on occurred in this run."""


class Live(Protocol):
    """A running service: where it answers, and a key that may write."""

    @property
    def base_url(self) -> str: ...

    @property
    def key(self) -> str: ...


class Store:
    """A client of the service, keys for it, and a fresh prefix for the names of each example."""

    def __init__(self, client: httpx.Client, key: str, new_key: Callable[[str], str]) -> None:
        self.client = client
        self.key = key
        self.new_key = new_key
        run = secrets.token_hex(4)
        self.prefixes = (f"x{run}-{number}" for number in count())


@contextmanager
def opened_store(live: Live, dsn: str) -> Iterator[Store]:
    """Limited keys are made in the database itself, since a command for each would take longer than an example."""
    with httpx.Client(base_url=live.base_url, timeout=30) as client, asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(dsn))
        try:
            yield Store(
                client, live.key, lambda home: runner.run(make_key(connection, "an example's reader", "read", [home]))
            )
        finally:
            runner.run(connection.close())


class World:
    """It turns drawn names and picks into its slugs, ids and revisions."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.prefix = next(store.prefixes)
        self.model = Model()
        hidden = f"{self.prefix}-c2"
        self.callers = {"anyone": ANYONE, "writer": WRITER, "reader": Caller("read", frozenset({hidden}))}
        keys = {"writer": store.key, "reader": store.new_key(hidden)}
        self.headers: dict[str, dict[str, str]] = {"anyone": {}} | {
            name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()
        }
        for name, visibility in COLLECTIONS.items():
            self.create_named("collections", name, {"title": f"The {name}", "visibility": visibility})

    # Requests

    def get(self, path: str, params: Selection | None = None, caller: str = "writer") -> httpx.Response:
        return self.store.client.get(path, params=params, headers=self.headers[caller])

    def read(self, path: str, params: Selection | None = None, caller: str = "writer") -> httpx.Response:
        response = self.get(path, params, caller)
        assert response.status_code == 200, (str(response.url), response.text)
        return response

    def post(self, path: str, body: Any, message: str | None = None, **params: Any) -> httpx.Response:
        noted = {} if message is None else {"Revision-Message": message}
        return self.store.client.post(path, json=body, params=params, headers=self.headers["writer"] | noted)

    def send(self, path: str, patch: Form, etag: str, message: str | None) -> httpx.Response:
        noted = {} if message is None else {"Revision-Message": message}
        headers = {"Content-Type": "application/merge-patch+json", "If-Match": etag, **noted}
        return self.store.client.patch(path, content=json.dumps(patch), headers=self.headers["writer"] | headers)

    # Names and picks

    def own(self, value: Any) -> Any:
        """The same structure with every name in it made this example's slug or key."""
        if isinstance(value, dict):
            return {name: self.own(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.own(member) for member in value]
        return f"{self.prefix}-{value}" if isinstance(value, str) and value in NAMES else value

    def revisions(self) -> list[Snapshot]:
        return self.model.snapshots[1:]

    def ever_created(self) -> list[str]:
        return list(self.model.homes)

    def pick_created(self, pick: int) -> str:
        created = self.ever_created()
        return created[pick % len(created)]

    def pick_standing(self, pick: int) -> str | None:
        standing = list(self.model.head.events)
        return standing[pick % len(standing)] if standing else None

    def pick_recorded(self, pick: int, just_before: bool) -> str:
        recorded = self.pick_snapshot(pick).recorded
        return moment_before(recorded) if just_before else recorded

    def pick_snapshot(self, pick: int) -> Snapshot:
        snapshots = self.revisions()[::-1]
        return snapshots[pick % len(snapshots)]

    def selection(self, drawn: Form) -> Form:
        """A drawn selection as it goes into a query, without what would be refused: a timeline not yet defined, say."""
        selection: Form = self.own(drawn)
        if "revision" in selection:
            selection["revision"] = str(self.pick_snapshot(selection["revision"]).revision)
        for name in ("as_of", "recorded_from", "recorded_to"):
            if name in selection:
                selection[name] = self.pick_recorded(*selection[name])
        if isinstance(selection.get("known_at"), int):
            recorded = self.pick_snapshot(selection["known_at"]).recorded
            selection["known_at"] = recorded[: len("2025-02-19T12:00:00")] + "Z"
        if "id" in selection:
            selection["id"] = sorted({self.pick_created(pick) for pick in selection["id"]})
        if "related_to" in selection:
            selection["related_to"] = self.pick_created(selection["related_to"])
        if not any(selection.get("timeline") in snapshot.timelines for snapshot in self.revisions()):
            selection.pop("timeline", None)
        if not {"collection", "key", "timeline"} & selection.keys():
            selection["collection"] = self.own(list(COLLECTIONS))
        for first, last in (("from", "to"), ("published_from", "published_to"), ("recorded_from", "recorded_to")):
            if turned_round(selection, first, last):
                del selection[last]
        return selection

    def related(self, drawn: list[Form], home: str, subject: str | None) -> list[Form]:
        """Relations from `subject` to standing events that it may name, by key where asked for and possible."""
        found = {}
        for relation in drawn:
            target = self.pick_standing(relation["pick"])
            if target is not None and target != subject and self.may_name(home, target):
                key = self.model.head.events[target].form["key"]
                by_key = relation["by_key"] and key is not None and self.model.homes[target] == home
                pointer = {"key": key} if by_key else {"event": target}
                found[relation["type"], target] = {"type": relation["type"], **pointer}
        return list(found.values())

    def may_name(self, home: str, target: str) -> bool:
        """Whether an event's relations may point at another: in its own collection or a public one."""
        there = self.model.homes[target]
        return there == home or self.model.visibility("collections", there) == "public"

    def kept_relations(self, form: Form) -> list[Form]:
        """An event's relations, without those that would be refused if they were sent anew today."""
        kept = [each for each in form["relations"] if self.may_name(form["collection"], each["event"])]
        return [{"type": each["type"], "event": each["event"]} for each in kept]

    # Writing

    def play(self, history: History) -> None:
        for verb, *details in history:
            COUNTS["write", verb] += 1
            getattr(self, verb)(*details)

    def rest(self) -> None:
        """Write nothing."""

    def new_revision(self, response: httpx.Response) -> int:
        revision = int(response.headers["Revision"])
        assert revision > self.model.head.revision
        assert "Revision-Unchanged" not in response.headers
        return revision

    def recorded_at(self, revision: int) -> str:
        return str(self.read(f"/v1/revisions/{revision}").json()["recorded"])

    def ensure(self, value: Any) -> None:
        """Create the actors and sources that a drawn structure names, where they do not stand."""
        if isinstance(value, dict | list):
            for member in value.values() if isinstance(value, dict) else value:
                self.ensure(member)
        elif value in (*ACTORS, *OF_BATCHES[:1]) and self.own(value) not in self.model.head.actors:
            self.create_named("actors", value, {"name": f"The {value}", "type": "organisation"})
        elif value in FIRST_SOURCES and self.own(value) not in self.model.head.sources:
            drawn = {"title": f"The {value}", "type": "article", **FIRST_SOURCES[value]}
            self.ensure(drawn)
            self.create_named("sources", value, drawn)

    def create_named(self, kind: str, name: str, drawn: Form) -> None:
        slug, sent = self.own(name), self.own(drawn)
        response = self.post(f"/v1/{kind}", {"slug": slug, **sent})
        assert response.status_code == 201, response.text
        document = response.json()
        revision = self.new_revision(response)
        self.model.record(revision, document["recorded"], (kind, slug, filled(OTHERS[kind], sent)))
        self.check_named(kind, document, self.model.head)

    def told(self, form: Form, home: str) -> Form:
        """A form whose title names its collection, so that whoever reads the title knows of the collection."""
        return form | {"title": f"{form['title']} of {home}"} if form.get("title") else form

    def create(self, drawn: Form) -> None:
        self.ensure(drawn)
        sent = self.own(drawn)
        home = sent["collection"]
        sent = self.told(sent, home) | {"relations": self.related(drawn["relations"], home, None)}
        response = self.post("/v1/events", sent, f"Made in {home}")
        if self.model.holder_of_key(home, sent.get("key")) is not None:
            COUNTS["write", "create under a key that is taken"] += 1
            assert response.status_code == 409, response.text
            return
        assert response.status_code == 201, response.text
        document = response.json()
        revision, recorded = self.new_revision(response), document["recorded"]
        self.model.record(revision, recorded, ("events", document["id"], self.model.whole_event(sent)))
        self.check_written(document)

    def patch(self, pick: int, drawn: Form) -> None:
        ident = self.pick_standing(pick)
        if ident is None:
            return
        self.ensure(drawn)
        stands = self.model.head.events[ident].form
        home = stands["collection"]
        patch = self.told(self.own(drawn), home)
        if drawn.get("relations"):
            patch["relations"] = self.related(drawn["relations"], home, ident)
        self.patch_event(ident, patch)

    def repeat(self, pick: int) -> None:
        """Send again what stands already."""
        ident = self.pick_standing(pick)
        if ident is not None:
            stands = self.model.head.events[ident].form
            self.patch_event(ident, {"title": stands["title"], "tags": stands["tags"][::-1]})

    def patch_event(self, ident: str, patch: Form) -> None:
        stands = self.model.head.events[ident].form
        if "relations" not in patch and len(kept := self.kept_relations(stands)) < len(stands["relations"]):
            patch = patch | {"relations": kept}
        whole = self.model.whole_event(merged(stands, patch))
        self.check_written(self.send_patch("events", ident, patch, whole, f"Revised in {stands['collection']}"))

    def patch_named(self, kind: str, slug: str, patch: Form) -> None:
        whole = filled(OTHERS[kind], merged(self.model.head.table(kind)[slug].form, patch))
        self.check_named(kind, self.send_patch(kind, slug, patch, whole), self.model.head)

    def send_patch(self, kind: str, ident: str, patch: Form, whole: Form, message: str | None = None) -> Document:
        path = f"/v1/{kind}/{ident}"
        etag = self.read(path).headers["ETag"]
        response = self.send(path, patch, etag, message)
        assert response.status_code == 200, response.text
        document: Document = response.json()
        if self.model.changes_nothing(kind, ident, whole):
            assert response.headers["ETag"] == etag
            self.check_unchanged(response)
        else:
            self.model.record(self.new_revision(response), document["recorded"], (kind, ident, whole))
            assert response.headers["ETag"] != etag
        return document

    def check_unchanged(self, response: httpx.Response) -> None:
        COUNTS["write", "one that changes nothing"] += 1
        assert response.headers["Revision-Unchanged"] == "true"
        assert int(response.headers["Revision"]) >= self.model.head.revision

    def retract(self, pick: int) -> None:
        ident = self.pick_standing(pick)
        if ident is not None:
            self.remove("events", ident, f"Retracted in {self.model.homes[ident]}")
            assert self.get(f"/v1/events/{ident}").status_code == 410

    def remove(self, kind: str, ident: str, message: str = "Deleted") -> None:
        path = f"/v1/{kind}/{ident}"
        headers = {"If-Match": self.read(path).headers["ETag"], "Revision-Message": message}
        response = self.store.client.delete(path, headers=self.headers["writer"] | headers)
        assert response.status_code == 204, response.text
        revision = self.new_revision(response)
        self.model.record(revision, self.recorded_at(revision), (kind, ident, None))

    def revert(self, pick: int, to: int) -> None:
        """Put an earlier state of an event back, or find that there is none to put back."""
        changed = [ident for ident in self.ever_created() if len(self.model.versions(ident)) > 1]
        # Most events have one version, and going back to the last one changes nothing.
        goes_back = changed and pick % 4 > 0
        ident = changed[pick % len(changed)] if goes_back else self.pick_created(pick)
        own = [self.model.at(revision) for revision, _ in self.model.versions(ident)][: -1 if goes_back else None]
        snapshot = self.pick_snapshot(to) if to % 4 == 0 else own[to % len(own)]
        home = self.model.homes[ident]
        response = self.post(f"/v1/events/{ident}/revert", {"revision": snapshot.revision}, f"Reverted in {home}")
        if ident not in snapshot.events:
            COUNTS["write", "revert to nothing"] += 1
            assert response.status_code == 422, response.text
            return
        form = snapshot.events[ident].form
        if not self.all_there(form) or len(self.kept_relations(form)) < len(form["relations"]):
            # What it names is gone or out of bounds: it is for the service to say, but it may write nothing then.
            assert response.status_code in (200, 422), response.text
            if response.status_code == 422:
                return
        assert response.status_code == 200, response.text
        document = response.json()
        if self.model.changes_nothing("events", ident, form):
            self.check_unchanged(response)
        else:
            back = "revert after retraction" if ident not in self.model.head.events else "revert of a revision"
            COUNTS["write", back] += 1
            self.model.record(self.new_revision(response), document["recorded"], ("events", ident, form))
        self.check_written(document)

    def all_there(self, form: Form) -> bool:
        """Whether every actor and source that a form names stands today."""
        actors = {part["actor"] for part in form["actors"]}
        actors |= {speaker for claim in form["claims"] for speaker in claim["speakers"]}
        sources = {claim[name] for claim in form["claims"] for name in ("source", "via")} - {None}
        return actors <= self.model.head.actors.keys() and sources <= self.model.head.sources.keys()

    def revise_actor(self, name: str, drawn: Form) -> None:
        self.ensure(name)
        slug = self.own(name)
        if self.model.head.actors[slug].form["merged_into"] is None:
            self.patch_named("actors", slug, drawn)
        else:
            refused = self.send(f"/v1/actors/{slug}", drawn, "*", None)
            assert refused.status_code == 409, refused.text

    def revise_source(self, name: str, drawn: Form) -> None:
        patch = dict(drawn)
        if patch.get("derived_from"):
            patch["derived_from"] = [further for further in patch["derived_from"] if further != name]
        self.ensure([name, patch])
        slug, before = self.own(name), self.model.head.revision
        self.patch_named("sources", slug, self.own(patch))
        if self.model.head.revision > before:
            self.learn_what_followed(self.model.may_follow(slug))

    def learn_what_followed(self, may: set[str]) -> None:
        """Of the events resting on what was revised, the service may give a version to more than it must."""
        items = self.read("/v1/events", {"collection": self.own(list(COLLECTIONS)), "limit": 500}).json()["items"]
        now = self.model.head
        revised = {item["id"] for item in items if item["revision"] == now.revision}
        must = {ident for ident, entry in now.events.items() if entry.revision == now.revision}
        assert must <= revised <= must | may
        self.model.revise_with_head(revised - must)

    def merge(self, name: str, into: str) -> None:
        self.ensure([name, into])
        slug, target = self.own(name), self.own(into)
        head = self.model.head
        response = self.post(f"/v1/actors/{slug}/merge", {"into": target})
        merged_into = head.actors[slug].form["merged_into"]
        if merged_into == target:
            assert response.status_code == 200, response.text
            self.check_unchanged(response)
        elif merged_into is not None:
            COUNTS["write", "merge of a merged actor"] += 1
            # Into itself it is at fault twice.
            assert response.status_code == 409 or (response.status_code == 422 and slug == target), response.text
        elif slug == head.actor(target):
            COUNTS["write", "merge into itself"] += 1
            assert response.status_code == 422, response.text
            assert [fault["pointer"] for fault in response.json()["errors"]] == ["/into"]
        else:
            self.stand_for(slug, target, response)

    def unmerge(self, pick: int) -> None:
        """Of an actor that is merged, if there is one."""
        actors = self.model.head.actors
        merged_away = [slug for slug, entry in actors.items() if entry.form["merged_into"] is not None]
        among = merged_away or list(actors)
        if not among:
            return
        slug = among[pick % len(among)]
        response = self.post(f"/v1/actors/{slug}/unmerge", {})
        if self.model.head.actors[slug].form["merged_into"] is None:
            assert response.status_code == 200, response.text
            self.check_unchanged(response)
        else:
            COUNTS["write", "unmerge of a merged actor"] += 1
            self.stand_for(slug, None, response)

    def stand_for(self, slug: str, into: str | None, response: httpx.Response) -> None:
        assert response.status_code == 200, response.text
        document = response.json()
        form = self.model.head.actors[slug].form | {"merged_into": into}
        speaking = self.model.may_be_told_by(slug)
        self.model.record(self.new_revision(response), document["recorded"], ("actors", slug, form))
        self.check_named("actors", document, self.model.head)
        self.learn_what_followed(speaking | self.model.may_be_told_by(slug))

    def delete(self, name: str) -> None:
        """Delete an actor or source, which is refused while in use; what a timeline names is left alone."""
        self.ensure(name)
        kind, slug = "actors" if name in ACTORS else "sources", self.own(name)
        if slug in json.dumps([entry.form for entry in self.model.head.timelines.values()]):
            return
        merged_away = kind == "actors" and self.model.head.actors[slug].form["merged_into"] is not None
        if self.model.in_use(kind, slug) or merged_away:
            refused = self.store.client.delete(f"/v1/{kind}/{slug}", headers=self.headers["writer"] | {"If-Match": "*"})
            assert refused.status_code == 409, refused.text
        else:
            self.remove(kind, slug)
            assert self.get(f"/v1/{kind}/{slug}").status_code == 410

    def define(self, name: str, drawn: Form, include: list[int], exclude: list[int], visibility: str) -> None:
        """Make a timeline, or give it another definition altogether."""
        pinned = {
            list_name: sorted({ident for pick in each if (ident := self.pick_standing(pick))})
            for list_name, each in (("include", include), ("exclude", exclude))
        }
        selection = self.selection(drawn)
        selection |= {each: int(selection[each]) for each in ("revision", "min_origins") if each in selection}
        sent: Form = {"title": f"The {name}", "selection": selection, "visibility": visibility, **pinned}
        slug = self.own(name)
        if slug in self.model.head.timelines:
            COUNTS["write", "redefine"] += 1
            former = self.model.head.timelines[slug].form["selection"]
            sent["selection"] = {**dict.fromkeys(former), **sent["selection"]}
            self.patch_named("timelines", slug, sent)
        else:
            self.create_named("timelines", name, sent)

    def show(self, name: str, visibility: str) -> None:
        self.patch_named("collections", self.own(name), {"visibility": visibility})

    # Batches

    def batch(self, drawn: Form) -> None:
        """Send a batch, first as a dry run, and once more where that must change nothing."""
        rows = [self.row(each, whole, drawn) for each, whole in drawn["rows"]]
        self.relate_rows(rows, drawn)
        self.send_batch(rows, drawn)

    def row(self, drawn: Form, whole: bool, batch: Form) -> Form:
        home = self.own(drawn.get("collection", batch["collection"]))
        row = self.told(self.own(drawn), home)
        if whole:
            COUNTS["write", "batch with actors and sources given whole"] += 1
            for part, into in zip(drawn.get("actors") or [], row.get("actors") or [], strict=True):
                into["actor"] = self.whole("actors", part["actor"])
            for part, into in zip(drawn.get("claims") or [], row.get("claims") or [], strict=True):
                into |= {name: self.whole("sources", part[name]) for name in ("source", "via") if name in part}
                if "speakers" in part:
                    into["speakers"] = [self.whole("actors", speaker) for speaker in part["speakers"]]
        else:
            self.ensure({name: drawn.get(name) for name in ("actors", "claims")})
        return row

    def whole(self, kind: str, name: str) -> Form:
        """An actor or source as a batch gives it in place of its slug; what stands is not what it says."""
        slug = self.own(name)
        if slug in self.model.head.table(kind):
            return {"slug": slug, "name" if kind == "actors" else "title": "Another"}
        if kind == "actors":
            return {"slug": slug, "name": f"The {name}", "type": "organisation"}
        first = FIRST_SOURCES[name]
        given = {"slug": slug, "title": f"The {name}", "type": "article", **first}
        if "publisher" in first:
            given["publisher"] = self.whole("actors", first["publisher"])
        if "derived_from" in first:
            given["derived_from"] = [self.whole("sources", further) for further in first["derived_from"]]
        return given

    def relate_rows(self, rows: list[Form], batch: Form) -> None:
        """Gives each row's drawn relations their targets: rows of its collection, later ones too, or what stands."""
        places = [(row.get("collection") or self.own(batch["collection"]), row.get("key")) for row in rows]
        for row, (home, key) in zip(rows, places, strict=True):
            known = self.model.holder_of_key(home, key)
            drawn = row.get("relations")
            if drawn:
                rest = self.related(drawn, home, known)
                named = {self.model.holder_of_key(home, each["key"]) for each in rest if "key" in each}
                named |= {each["event"] for each in rest if "event" in each}
                for relation in drawn:
                    there, other = places[relation["pick"] % len(rows)]
                    new = other is not None and self.model.holder_of_key(there, other) is None
                    if new and there == home and other != key and other not in named:
                        COUNTS["write", "batch with a relation to another row"] += 1
                        named.add(other)
                        rest.append({"type": relation["type"], "key": other})
                row["relations"] = rest
            elif "relations" not in row and known is not None and batch["on_existing"] in (None, "merge"):
                form = self.model.last_form(known)
                if len(kept := self.kept_relations(form)) < len(form["relations"]):
                    row["relations"] = kept

    def send_batch(self, rows: list[Form], drawn: Form) -> None:
        how = {
            "collection": self.own(drawn["collection"]),
            "on_existing": drawn["on_existing"] or "merge",
            "retract_missing": drawn["retract_missing"],
        }
        COUNTS["write", f"batch: {how['on_existing']}"] += 1
        plan = self.model.plan(rows, **how)
        params: Form = {"collection": how["collection"]}
        if drawn["on_existing"] is not None:
            params["on_existing"] = drawn["on_existing"]
        if drawn["retract_missing"]:
            params["retract_missing"] = "true"
        homes = {row.collection for row in plan.rows} | {how["collection"]}
        # What it does in sight tells of the batch, so that its message may say no more than all may know.
        message = f"Sent to {homes.pop()}" if len(homes) == 1 and not plan.resources else "Sent"
        dry = self.post_rows(rows, drawn["lines"], params | {"dry_run": "true"}, message)
        done = self.post_rows(rows, drawn["lines"], params, message)
        if plan.faulty:
            COUNTS["write", "batch at fault"] += 1
            for response in (dry, done):
                assert response.status_code == 422, response.text
                told = response.json()["rows"]
                assert {row["index"] for row in told} == plan.faulty, (told, plan.faulty)
                assert all(row["result"] == "refused" and row["errors"] for row in told)
            return
        for response in (dry, done):
            assert response.status_code == 200, response.text
        answer, rehearsed = done.json(), dry.json()
        new = [row.ident.startswith("new ") for row in plan.rows]
        ids = {row.ident: told["id"] for row, told in zip(plan.rows, answer["rows"], strict=True)}
        self.check_batch(answer, plan, ids)
        changes = plan.changes(ids)
        assert int(dry.headers["Revision"]) >= self.model.head.revision
        assert [told["id"] for told in rehearsed["rows"]] == [
            None if is_new else told["id"] for is_new, told in zip(new, answer["rows"], strict=True)
        ]
        assert {**rehearsed, "rows": None} == {**answer, "rows": None}
        if not changes:
            self.check_unchanged(done)
            return
        for kind in ("actors", "sources"):
            COUNTS["write", f"batch makes {kind}"] += sum(change[0] == kind for change in changes)
        COUNTS["write", "batch retracts what is missing"] += bool(plan.retracted)
        COUNTS["write", "batch brings back"] += sum(
            row.ident in self.model.homes and row.ident not in self.model.head.events for row in plan.rows
        )
        revision = self.new_revision(done)
        self.model.record(revision, self.recorded_at(revision), *changes)
        for row in plan.rows:
            self.check_written(self.read(f"/v1/events/{ids[row.ident]}").json())
        for kind, slug, _ in plan.resources:
            self.check_named(kind, self.read(f"/v1/{kind}/{slug}").json(), self.model.head)
        if how["on_existing"] in ("merge", "replace") and not any(row.key is None for row in plan.rows):
            COUNTS["write", "batch sent twice"] += 1
            self.check_unchanged(self.post_rows(rows, drawn["lines"], params, message))

    def post_rows(self, rows: list[Form], lines: bool, params: Form, message: str) -> httpx.Response:
        kind = "application/x-ndjson" if lines else "application/json"
        body = "\n\n".join(json.dumps(row) for row in rows) if lines else json.dumps(rows)
        headers = self.headers["writer"] | {"Content-Type": kind, "Revision-Message": message}
        return self.store.client.post("/v1/events/batch", content=body, params=params, headers=headers)

    def check_batch(self, answer: Document, plan: Plan, ids: dict[str, str]) -> None:
        """The answer says of each row what the model says, and of known events their ids."""
        told: list[Document] = [
            {"index": index, "key": row.key, "id": ids[row.ident], "result": row.result, "errors": []}
            for index, row in enumerate(plan.rows)
        ]
        assert answer["rows"] == told
        assert all(ids[row.ident] == row.ident for row in plan.rows if not row.ident.startswith("new "))
        results = Counter(row.result for row in plan.rows)
        counted = {name: results[name] for name in ("created", "updated", "unchanged")}
        assert {name: answer[name] for name in counted} == counted
        assert answer["retracted"] == len(plan.retracted)

    # Reading

    def check_named(self, kind: str, document: Document, snapshot: Snapshot) -> None:
        """What an actor, source, collection or timeline says of itself is what it was at a snapshot."""
        entry = snapshot.table(kind)[document["slug"]]
        expected = {**entry.form, "revision": entry.revision, "recorded": entry.recorded}
        assert {name: document[name] for name in expected} == expected

    def check_written(self, document: Document) -> None:
        """Whoever writes sees all."""
        seen = self.model.seen(document["id"], {}, WRITER)
        agree([plain(document)], all_settled([seen]))

    def listing(self, selection: Form, caller: str = "writer") -> Document:
        """The service's answer, once found equal to the model's in content and order."""
        response = self.get("/v1/events", {**selection, "limit": 500}, caller)
        if "timeline" in selection and not self.model.timeline_in_sight(selection["timeline"], self.callers[caller]):
            assert response.status_code == 404, response.text
            return {"items": [], "revision": None}
        assert response.status_code == 200, (str(response.url), response.text)
        page: Document = response.json()
        expected = self.model.listing(selection, self.callers[caller])
        agree([plain(item) for item in page["items"]], all_settled(expected))
        assert page["next"] is None
        self.check_included(page["included"], page["items"], self.model.view(selection)[0].snapshot)
        return page

    def counts(self, selection: Form, caller: str, on: str, interval: str) -> Document | None:
        """How many events of a selection there are by time and by value, once found equal to the model's.

        None where the interval is too short, or the timeline not in sight.
        """
        asking = self.callers[caller]
        selection = {name: value for name, value in selection.items() if name != "order"}
        answers = [
            self.get(f"/v1/events/{path}", {**selection, **own}, caller)
            for path, own in (("histogram", {"on": on, "interval": interval}), ("facets", {"facet_limit": 500}))
        ]
        if "timeline" in selection and not self.model.timeline_in_sight(selection["timeline"], asking):
            assert [answer.status_code for answer in answers] == [404, 404]
            return None
        assert answers[1].status_code == 200, (str(answers[1].url), answers[1].text)
        facets = answers[1].json()
        expected = {
            name: [{"value": value, "count": count} for value, count in ordered_counts(counter)]
            for name, counter in self.model.facets(selection, asking).items()
        }
        agree({name: facets[name] for name in expected}, expected)
        modelled = self.model.histogram(selection, on, interval, asking)
        if modelled is None:
            assert answers[0].status_code == 400, answers[0].text
            assert [fault["parameter"] for fault in answers[0].json()["errors"]] == ["interval"]
            return None
        assert answers[0].status_code == 200, (str(answers[0].url), answers[0].text)
        told: Document = answers[0].json()
        agree({name: told[name] for name in modelled}, modelled)
        assert (told["on"], told["step"], told["approximate"], told["margin"]) == (on, 1, False, 0)
        assert {name: told[name] for name in ("matching", "approximate", "margin", "revision")} == {
            name: facets[name] for name in ("matching", "approximate", "margin", "revision")
        }
        return told | {"facets": facets}

    def check_included(self, included: Document, documents: Sequence[Document], snapshot: Snapshot) -> None:
        """Every actor and source that the documents name is there once, as it was, and no other."""
        for kind, slugs in self.model.included(documents, snapshot).items():
            assert included[kind].keys() == slugs, (included[kind].keys() ^ slugs, documents)
            for slug, member in included[kind].items():
                assert member["slug"] == slug
                self.check_named(kind, member, snapshot)

    def check_history(self, ident: str, caller: str = "writer") -> None:
        """Every version of an event, at whichever end its history begins."""
        response = self.get(f"/v1/events/{ident}/history", None, caller)
        unseen = self.model.unseen(self.callers[caller])
        if ident in unseen:
            assert response.status_code == 404, response.text
            return
        items = response.json()["items"]
        items.sort(key=lambda item: int(item["revision"]))
        snapshots = [self.model.at(revision) for revision, _ in self.model.versions(ident)]
        stamps = [(item["revision"], item["recorded"]) for item in items]
        assert stamps == [(snapshot.revision, snapshot.recorded) for snapshot in snapshots]
        documents = [item["event"] and plain(item["event"]) for item in items]
        seen = [see(View(snapshot, {}, unseen), ident) for snapshot in snapshots]
        agree(documents, all_settled(seen))

    def check_single(self, ident: str, selection: Form, caller: str = "writer") -> None:
        """One event through the lenses alone."""
        names = (*PINS, "known_at", "according_to", "according_to_source")
        lenses = {name: selection[name] for name in names if name in selection}
        expected = self.model.seen(ident, lenses, self.callers[caller])
        response = self.get(f"/v1/events/{ident}", lenses, caller)
        if expected is None:
            assert response.status_code in (404, 410), response.text
        else:
            assert response.status_code == 200, response.text
            agree([plain(response.json())], [settled(expected)])

    def diff(self, base: Form, head: Form, caller: str, how: Form, limit: int = 500) -> list[Document]:
        """All items of the service's diff, read page by page."""
        query = {**two_sided(base, head), **how, "limit": limit}
        first = page = self.read("/v1/diff", query, caller).json()
        items = list(page["items"])
        for _ in range(500):
            for side, selection in (("base", base), ("head", head)):
                documents = [each for item in page["items"] for each in documents_of(item, side)]
                self.check_included(page["included"][side], documents, self.model.view(selection)[0].snapshot)
            if page["next"] is None:
                break
            page = self.read(page["next"], None, caller).json()
            items += page["items"]
        assert page["next"] is None
        operations = [item["op"] for item in items]
        assert first["summary"] == {each: operations.count(each) for each in ("added", "removed", "changed")}
        for side, selection in (("base", base), ("head", head)):
            if "revision" in selection:
                assert first[side]["revision"] == int(selection["revision"])
        return items


def ordered_counts(counts: Counter[str]) -> list[tuple[str, int]]:
    """The values that most have first, and those that as many have in their own order."""
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def count_reading(caller: str, selection: Form) -> None:
    """Adds a selection to what this run has read."""
    COUNTS["caller", caller] += 1
    for name in selection:
        COUNTS["parameter", name] += 1
    for pair in combinations(sorted(selection), 2):
        COUNTS["pair", *pair] += 1


def turned_round(selection: Form, first: str, last: str) -> bool:
    """Whether two windows drawn for one selection have become one that ends before it begins."""
    if not {first, last} <= selection.keys():
        return False
    if first.startswith("recorded"):
        return instant(selection[first]) > instant(selection[last])
    return span(selection[first]).low > span(selection[last]).high


def moment_before(recorded: str) -> str:
    moment = datetime.fromisoformat(recorded) - timedelta(milliseconds=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def plain(document: Document) -> Document:
    """A document without what the model cannot know, each of which is at least there, and its sets sorted."""
    rest = {name: value for name, value in document.items() if name != "included"}
    if rest["occurred"] is not None:
        rest["occurred"] = dict(rest["occurred"])
        assert rest["occurred"].pop("display")
    rest["claims"] = [dict(claim) for claim in rest["claims"]]
    for claim in rest["claims"]:
        assert claim.pop("id")
        if isinstance(claim["occurred"], dict):
            claim["occurred"] = claim["occurred"]["edtf"]
    return settled(rest)


def differences(given: Any, expected: Any, path: str = "") -> list[str]:
    """Where two JSON values differ: each place with what is there and what should be."""
    if isinstance(given, dict) and isinstance(expected, dict) and given.keys() == expected.keys():
        return [line for name in given for line in differences(given[name], expected[name], f"{path}/{name}")]
    if isinstance(given, list) and isinstance(expected, list) and len(given) == len(expected):
        pairs = enumerate(zip(given, expected, strict=True))
        return [line for place, pair in pairs for line in differences(*pair, f"{path}/{place}")]
    return [] if given == expected else [f"{path}: {given!r} should be {expected!r}"]


def agree(given: Any, expected: Any) -> None:
    """Raises AssertionError, with each difference on a line."""
    lines = differences(given, expected)
    assert not lines, "\n".join(lines)


def all_settled(documents: Sequence[Document | None]) -> list[Document | None]:
    return [document and settled(document) for document in documents]


def two_sided(base: Form, head: Form) -> Form:
    """The parameters of a diff: what both sides share without a prefix, the rest for its side."""
    shared = {name: value for name, value in base.items() if head.get(name) == value}
    query = dict(shared)
    for side, selection in (("base", base), ("head", head)):
        query |= {f"{side}_{name}": value for name, value in selection.items() if name not in shared}
    return query


def subject(item: Document) -> str:
    return str(item["id"] if item["op"] == "changed" else item["event"]["id"])


def documents_of(item: Document, side: str) -> list[Document]:
    """The documents of an item that come from one side."""
    here, elsewhere = ("before", "removed") if side == "base" else ("after", "added")
    member = here if item["op"] == "changed" else "event" if item["op"] == elsewhere else "other"
    return [item[member]] if item[member] is not None else []


__all__ = ["COUNTS", "Change", "Store", "World", "opened_store"]

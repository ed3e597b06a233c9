/**
 * The life of a few events, told by the client of @hey-api/openapi-ts; prints what came of it, as JSON.
 *
 *     node roundtrip.js BASE_URL KEY SLUG
 *
 * Everything it makes is named after the slug. The programs in other languages beside this one do and print the same,
 * but for two requests: of several media types this client knows the first, and so neither JSON Patch nor lines.
 */

import {
  type BatchAnswer,
  type BatchRow,
  createCollection,
  createEvent,
  createTimeline,
  type Diff,
  type EventPage,
  type EventPatch,
  type ListEventsData,
  listEvents,
  type Problem,
  readDiff,
  readEvent,
  readEventHistory,
  readFacets,
  readHistogram,
  recordEventBatch,
  retractEvent,
  reviseEvent,
} from "./sdk";
import { createClient } from "./sdk/client";
import { filtersOf, storyOf } from "./story";

type Query = NonNullable<ListEventsData["query"]>;
type Outcome = {
  response: Response | undefined;
  data?: { title?: string } | undefined | void;
  error?: Problem | undefined;
};

const [baseUrl = "", key = "", slug = ""] = process.argv.slice(2);
const anyone = createClient({ baseUrl });
const writer = createClient({ baseUrl, auth: key });

/** What was answered, which must be there; it is nothing (`void`) where a caller prefers no body. */
function got<T>(value: T | null | undefined | void): T {
  if (value === null || value === undefined) throw new Error("no such answer");
  return value;
}

const keys = (page: EventPage): string[] => page.items.map((event) => got(event.key));

/** The status, and the title of the event or the name of the problem. */
function outcome({ response, data, error }: Outcome): string {
  return `${got(response).status} ${(data || undefined)?.title ?? got(error?.type.split("/").at(-1))}`;
}

function changeOf(item: Diff["items"][number]): string {
  if (item.op !== "changed") return `${item.op} ${item.event.key}`;
  const kinds = [...new Set(item.patch.map((step) => step.op))].sort();
  return `${item.op} ${item.after.key}: ${item.fields.join(",")}; ${kinds.join(",")}`;
}

async function list(query: Query): Promise<EventPage> {
  return got((await listEvents({ client: anyone, query: { collection: [slug], ...query } })).data);
}

async function record(rows: BatchRow[]): Promise<BatchAnswer> {
  return got((await recordEventBatch({ client: writer, query: { collection: slug }, body: rows })).data);
}

async function main(): Promise<void> {
  // Made: a collection, four events of which three come in a batch with whatever they name, and a timeline.

  got((await createCollection({ client: writer, body: { slug, title: "Round trip" } })).data);
  const story = storyOf(slug);
  const batch = await record(story.rows);
  const created = await createEvent({
    client: writer,
    body: { title: "Single", key: "single", collection: slug, occurred: "2010-05/.." },
  });
  const single = got(created.data);
  got(
    (
      await createTimeline({
        client: writer,
        body: { slug, title: "Declarations", selection: { collection: slug, kind: "declaration" } },
      })
    ).data,
  );
  const deployed = got((await list({ key: ["deployed"] })).items[0]);
  const declared = got((await list({ key: ["declared"] })).items[0]);

  // Listed, by each parameter.

  const first = await list({ limit: 1 });
  const filters = filtersOf(slug, story, {
    deployed: got(deployed.id),
    declared: got(declared.id),
    single: single.id,
    before: got(deployed.recorded),
    after: single.recorded,
    revision: batch.revision,
    next: got(first.next),
  }) satisfies Record<Exclude<keyof Query, "fields" | "include">, Query>;
  const listed: Record<string, string[]> = {};
  for (const [name, query] of Object.entries(filters)) listed[name] = keys(await list(query));
  listed.fields = Object.keys(got((await list({ limit: 1, fields: "title,occurred" })).items[0])).sort();
  listed.include = [(await list({ include: "none" })).included === null ? "nothing" : "something"];

  // Counted, by each parameter of its own.

  const counted = got(
    (
      await readHistogram({
        client: anyone,
        query: { collection: [slug], to: "2019", undated: "include", interval: "decade", on: "occurred" },
      })
    ).data,
  );
  const valued = got(
    (await readFacets({ client: anyone, query: { collection: [slug], facet: ["tag"], facet_limit: 2 } })).data,
  );

  // Paged to the end.

  const paged = keys(first);
  for (let page = first; page.next !== null; ) {
    page = await list({ limit: 1, cursor: page.next });
    paged.push(...keys(page));
  }

  // Revised by two merge patches; refused where the ETag is stale, and where the key is taken.

  const place = { id: single.id };
  const read = await readEvent({ client: anyone, path: place });
  const etag = got(read.response?.headers.get("ETag"));
  const still = await readEvent({ client: anyone, path: place, headers: { "If-None-Match": etag } });
  const revise = (tag: string, body: EventPatch) =>
    reviseEvent({ client: writer, path: place, headers: { "If-Match": tag }, body });
  const merged = await revise(etag, { title: "Merged" });
  const patched = await revise(got(merged.response?.headers.get("ETag")), { title: "Patched" });
  const stale = await revise(etag, { title: "Stale" });
  const taken = await createEvent({ client: writer, body: { title: "Again", key: "single", collection: slug } });
  const there = got(taken.response?.headers.get("Location")).split("/").at(-1) === single.id;
  const missing = await readEvent({ client: anyone, path: { id: "00000000-0000-0000-0000-000000000000" } });

  // A second batch: one row is known, one is new. A third, of one row. A fourth, refused.

  const again = await record([
    { key: "expected", kind: "visit" },
    { key: "new", title: "New" },
  ]);
  const line = await record([{ key: "line", title: "Line" }]);
  const faulty = await recordEventBatch({
    client: writer,
    query: { collection: slug },
    body: [{ key: "nameless" }],
  });

  // Compared: before and after the second batch. Retracted, and its history read.

  const sides = { collection: [slug], base_revision: again.revision - 1, head_revision: again.revision };
  const diff = got((await readDiff({ client: anyone, query: sides })).data);
  const summary = got(diff.summary);
  const retracted = await retractEvent({
    client: writer,
    path: place,
    headers: { "If-Match": got(patched.response?.headers.get("ETag")) },
  });
  const gone = await readEvent({ client: anyone, path: place });
  const history = got((await readEventHistory({ client: anyone, path: place })).data);

  const report = {
    listed,
    buckets: counted.buckets.map((bucket) => `${bucket.start} ${bucket.count} ${bucket.certain}`),
    undated: counted.undated,
    facets: got(valued.tag).map(({ value, count }) => `${value} ${count}`),
    paged,
    created: `${created.response?.status} ${single.title}`,
    read: outcome(read),
    still: still.response?.status,
    merged: outcome(merged),
    patched: outcome(patched),
    stale: outcome(stale),
    taken: outcome(taken),
    there,
    missing: outcome(missing),
    batch: again.rows.map((row) => `${row.result} ${row.key}`),
    line: line.rows.map((row) => `${row.result} ${row.key}`),
    faulty: got(faulty.error?.rows).flatMap((row) => got(row.errors).map((fault) => fault.pointer)),
    summary: [summary.added, summary.removed, summary.changed],
    diff: diff.items.map(changeOf),
    retracted: retracted.response?.status,
    gone: outcome(gone),
    history: history.items.map((item) => item.event && item.event.title),
  };
  console.log(JSON.stringify(report, null, 1));
}

void main();

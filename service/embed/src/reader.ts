// Asking the service: a listing page by page, its histogram and its facets, and whether there is anything new.

import type { Change, Facets, Histogram, Included, Page, TimelineEvent } from "./model.js";

/** What there may be news of. */
interface Answer {
  items?: (TimelineEvent | Change)[];
  buckets?: Histogram["buckets"];
  matching?: number;
  undated?: number;
  next?: string | null;
}

/** Parameters in place of those of the address itself; null takes one away, undefined leaves it as it is. */
export type Wants = Record<string, string | string[] | null | undefined>;

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: { title?: string; detail?: string },
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
  }
}

export class Reader {
  /** What was read first: its address, its tag, and what news of it would differ in. */
  #first: { address: string; tag: string | null; read: Answer; counted: boolean } | undefined;

  readonly #wants: Wants;
  readonly source: URL;

  constructor(source: URL, wants: Wants) {
    this.source = source;
    this.#wants = wants;
  }

  /** The listing, or the diff, with what is wanted in place of its own. Events are shown whole. */
  listing(more: Wants = {}): URL {
    return this.#with(this.source, { ...this.#wants, fields: null, ...more });
  }

  /** Where the service begins, and the timeline that is read, if it is one. */
  get #place(): [string, string | null] {
    const [, root, slug] = /^(.*?)(?:\/timelines\/([^/]+))?\/[^/]+\/?$/.exec(this.source.pathname)!;
    return [root!, slug ? decodeURIComponent(slug) : this.source.searchParams.get("timeline")];
  }

  /** Another view of the same selection: `events/histogram`, `events/facets`; or `diff`, which is of two. */
  of(view: string, more: Wants = {}): URL {
    const [root, timeline] = this.#place;
    const bare = { limit: null, cursor: null, include: null, order: null, fields: null, timeline };
    const url = this.#with(this.source, { ...this.#wants, ...bare, ...more });
    url.pathname = `${root}/${view}`;
    return url;
  }

  #with(url: URL, wants: Wants): URL {
    const made = new URL(url);
    for (const [name, value] of Object.entries(wants)) {
      if (value === undefined) continue;
      made.searchParams.delete(name);
      for (const each of value === null ? [] : [value].flat()) made.searchParams.append(name, each);
    }
    return made;
  }

  /** watched: whether news is looked for of it, if of nothing before. */
  page(address: URL | string, signal: AbortSignal, watched = true): Promise<Page> {
    return this.#read(address, signal, watched ? false : undefined);
  }

  histogram(more: Wants, signal: AbortSignal): Promise<Histogram> {
    return this.#read(this.of("events/histogram", more), signal, true);
  }

  /** The values of one dimension and their counts, by all that is asked for but what a reader chose of it. */
  facets(name: string, signal: AbortSignal): Promise<Facets> {
    const chosen = { [name]: undefined, [`${name}_match`]: undefined };
    return this.#read(this.of("events/facets", { facet: name, facet_limit: "20", ...chosen }), signal);
  }

  /** What the first events name. */
  async included(signal: AbortSignal): Promise<Included | null> {
    return (await this.#read<Page>(this.listing(), signal)).included;
  }

  /** The selection that a timeline stores, which its own lenses are in. */
  async stored(signal: AbortSignal): Promise<Record<string, unknown>> {
    const [root, timeline] = this.#place;
    if (!timeline) return {};
    const url = new URL(this.source);
    url.search = "";
    url.pathname = `${root}/timelines/${encodeURIComponent(timeline)}`;
    return (await this.#read<{ selection: Record<string, unknown> }>(url, signal)).selection;
  }

  /** How much of what was read first has come, gone or changed since. */
  async news(signal: AbortSignal): Promise<number> {
    const first = this.#first;
    if (!first) return 0;
    const answer = await this.#ask(first.address, signal, first.tag ? { "If-None-Match": first.tag } : {});
    if (answer.status === 304) return 0;
    const read = (await answer.json()) as Answer;
    const [before, now] = [statesOf(first.read), statesOf(read)];
    let number = 0;
    for (const [id, state] of now) if (before.get(id) !== state) number++;
    // What a full page has no more of may stand on the next one.
    if (!read.next) for (const id of before.keys()) if (!now.has(id)) number++;
    // Stretches are others where there is more to count.
    return number && first.counted ? Math.max(Math.abs(read.matching! - first.read.matching!), 1) : number;
  }

  /** counted: what news is looked for of, counts where there are no events; undefined: of this there is none. */
  async #read<T>(address: URL | string, signal: AbortSignal, counted?: boolean): Promise<T> {
    const answer = await this.#ask(address, signal);
    const read = await answer.json();
    const first = this.#first;
    if (counted !== undefined && (!first || (first.counted && !counted))) {
      this.#first = { address: String(address), tag: answer.headers.get("ETag"), read, counted };
    }
    return read as T;
  }

  async #ask(address: URL | string, signal: AbortSignal, headers: Record<string, string> = {}): Promise<Response> {
    const answer = await fetch(address, {
      signal,
      headers: { Accept: "application/json", ...headers },
      credentials: "omit",
      referrerPolicy: "no-referrer",
    });
    if (answer.status === 304) return answer;
    if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
    return answer;
  }
}

/** What of an answer is not to change unnoticed: the revision of each event, or how many there are of each time. */
function statesOf({ items = [], buckets = [], undated = 0 }: Answer): Map<string, number> {
  return new Map([
    ["", undated],
    ...items.map((item): [string, number] => {
      const event = "op" in item ? (item.event ?? item.after!) : item;
      return [event.id, event.revision];
    }),
    ...buckets.map(({ start, count }): [string, number] => [start, count]),
  ]);
}

// Asking the service: a listing page by page, its histogram and its facets, and whether there is anything new.

import type { Facets, Histogram, Page } from "./model.js";

/** Parameters beside those of the address itself; null takes one away. */
export type Wants = Record<string, string | null>;

export class Refused extends Error {
  constructor(
    readonly status: number,
    readonly problem: { title?: string; detail?: string },
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
  }
}

export class Reader {
  /** Of the first page: its address, its tag, and the revision of each of its events. */
  #first: { address: string; tag: string | null; revisions: Map<string, number> } | undefined;

  constructor(
    readonly source: URL,
    readonly wants: Wants = {},
  ) {}

  /** The listing with what is wanted beside. */
  get listing(): URL {
    return this.#with(this.source, this.wants);
  }

  /** Another view of the same selection: `histogram`, `facets`, `export/csv`; or `diff`, which is of two. */
  of(view: string, more: Wants = {}): URL {
    const url = this.#with(this.source, { ...this.wants, limit: null, cursor: null, include: null, order: null });
    const [, root, slug] = /^(.*?)(?:\/timelines\/([^/]+))?\/events\/?$/.exec(url.pathname) ?? [];
    if (slug) url.searchParams.set("timeline", decodeURIComponent(slug));
    url.pathname = view === "diff" ? `${root}/diff` : `${root}/events/${view}`;
    return this.#with(url, more);
  }

  #with(url: URL, wants: Wants): URL {
    const made = new URL(url);
    for (const [name, value] of Object.entries(wants)) {
      made.searchParams.delete(name);
      if (value !== null) made.searchParams.set(name, value);
    }
    return made;
  }

  async page(address: URL | string, signal: AbortSignal): Promise<Page> {
    const answer = await this.#ask(address, signal);
    const page = (await answer.json()) as Page;
    this.#first ??= { address: String(address), tag: answer.headers.get("ETag"), revisions: revisionsOf(page) };
    return page;
  }

  histogram(more: Wants, signal: AbortSignal): Promise<Histogram> {
    return this.#read<Histogram>(this.of("histogram", more), signal);
  }

  /** The values of one dimension and their counts, by all that is asked for but that dimension. */
  facets(name: string, signal: AbortSignal): Promise<Facets> {
    return this.#read<Facets>(this.of("facets", { facet: name, facet_limit: "20", [name]: null }), signal);
  }

  /** How many events of the first page have come, gone or changed since it was read. */
  async news(signal: AbortSignal): Promise<number> {
    const first = this.#first;
    if (!first) return 0;
    const answer = await this.#ask(first.address, signal, first.tag ? { "If-None-Match": first.tag } : {});
    if (answer.status === 304) return 0;
    const now = revisionsOf((await answer.json()) as Page);
    const ids = new Set([...now.keys(), ...first.revisions.keys()]);
    return [...ids].filter((id) => now.get(id) !== first.revisions.get(id)).length;
  }

  async #read<T>(address: URL | string, signal: AbortSignal): Promise<T> {
    return (await (await this.#ask(address, signal)).json()) as T;
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

function revisionsOf(page: Page): Map<string, number> {
  return new Map(page.items.map((event) => [event.id, event.revision]));
}

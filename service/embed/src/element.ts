// <event-timeline src="…">: a timeline on any page. It asks nobody but the service it names, and leaves nothing behind.

import { h } from "./dom.js";
import type { Manner } from "./event.js";
import { kit, type Kit } from "./kit.js";
import { List } from "./list.js";
import { Reader, Refused, type Wants } from "./reader.js";
import { counted, english, named, type Strings } from "./strings.js";
import { sheetOf, styles } from "./style.js";

/** Of parts that are loaded once they are used, and words of a language: the digests that the files are named by. */
declare const DIGESTS: Record<string, string>;
const LENSES: Record<string, string> = { "known-at": "known_at", "as-of": "as_of", limit: "limit", order: "order" };
const ATTRIBUTES = [
  ...["src", "view", "lang", "heading", "filters", "travel", "lanes", "base", "head", "height", "paging", "live"],
  ...Object.keys(LENSES),
];
/** Seconds between two looks for news, where nothing else is said, and the fewest that there may be. */
const LIVE = 60;
const LIVE_MIN = 5;

/** What a part is given to work with. */
export interface Host {
  element: HTMLElement;
  /** Where controls stand, above the events. */
  bar: HTMLElement;
  /** Where the events stand. */
  body: HTMLElement;
  reader: Reader;
  manner: Manner;
  signal: AbortSignal;
  /** What is asked for in place of the page's own. */
  wants: Wants;
  kit: Kit;
  /** Adds to how it looks. */
  style(text: string): void;
  /** Says something to who does not see it. */
  announce(text: string): void;
  /** Narrows the selection; undefined leaves a parameter as the page has it. */
  want(wants: Wants): void;
  tell(name: string, detail: unknown): void;
  /** Does what may fail without the timeline failing: then the reason stands below it. */
  attempt(work: () => Promise<void>): Promise<void>;
}

class EventTimeline extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  readonly #root = this.attachShadow({ mode: "open" });
  readonly #status = h("p", { class: "sr", role: "status" });
  readonly #states = this.attachInternals().states;
  #narrowed: Wants = {};
  #working: AbortController | undefined;
  #planned = false;
  /** Whether it runs from right to left for its language alone. */
  #mirrored = false;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [styles()];
    this.#root.append(h("slot"));
  }

  connectedCallback(): void {
    // What a page has set before this script was there.
    for (const name of Object.keys(this) as (keyof this)[]) {
      if (!PROPERTIES.has(name as string)) continue;
      const value = this[name];
      delete this[name];
      this[name] = value;
    }
    this.#plan();
  }

  disconnectedCallback(): void {
    this.#working?.abort();
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after || !this.isConnected) return;
    if (name === "src") this.#narrowed = {};
    this.#plan();
  }

  /** Loads once for all attributes that are set together. */
  #plan(): void {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (!this.isConnected) return;
      if (this.getAttribute("src")) void this.#load();
      else {
        this.#working?.abort();
        this.#show(h("slot"));
      }
    });
  }

  async #load(): Promise<void> {
    this.#working?.abort();
    const { signal } = (this.#working = new AbortController());
    let strings = english;
    try {
      const language = languageOf(this);
      strings = await stringsOf(language);
      const wants: Wants = { ...this.#narrowed };
      for (const [attribute, parameter] of Object.entries(LENSES)) {
        if (this.hasAttribute(attribute)) wants[parameter] = this.getAttribute(attribute);
      }
      // One revision is read, and a place in a listing is one of that listing alone.
      if (wants.as_of) wants.revision = null;
      if (Object.entries(wants).some(([name, value]) => name !== "limit" && value !== undefined)) wants.cursor = null;
      const mirrored = (this.#mirrored || !this.dir) && /^(ar|fa|he|ur)\b/.test(language);
      if (mirrored !== this.#mirrored) this.dir = (this.#mirrored = mirrored) ? "rtl" : "";
      const level = Number(this.getAttribute("heading"));
      const host: Host = {
        element: this,
        bar: h("div", { class: "bar" }),
        body: h("div", { part: "body" }),
        reader: new Reader(new URL(this.getAttribute("src")!, document.baseURI), wants),
        manner: { language, strings, heading: level > 1 && level < 7 ? level : 3 },
        signal,
        wants,
        kit,
        style: (text) => {
          const sheet = sheetOf(text);
          const sheets = this.#root.adoptedStyleSheets;
          if (!sheets.includes(sheet)) this.#root.adoptedStyleSheets = [...sheets, sheet];
        },
        announce: (text) => (this.#status.textContent = text),
        want: (more) => {
          this.#narrowed = { ...this.#narrowed, ...more };
          this.#plan();
        },
        tell: (name, detail) => this.#tell(name, detail),
        attempt: async (work) => {
          this.#root.querySelector('[role="alert"]')?.remove();
          try {
            await work();
          } catch (error) {
            if (!signal.aborted) host.body.append(this.#failed(error, strings));
          }
        },
      };
      const diff = host.reader.source.pathname.endsWith("/diff") || this.getAttribute("view") === "diff";
      const part = diff ? "diff" : this.getAttribute("view") === "axis" && "axis";
      await (part ? shown(part, host) : new List(host).begin());
      for (const name of ["filters", "travel"]) {
        // A diff is of two selections, which no filter or lens narrows together.
        if (this.hasAttribute(name) && !diff && !signal.aborted) await shown(name, host);
      }
      if (signal.aborted) return;
      // Who has just used a control goes on with it.
      const { control } = (this.#root.activeElement as HTMLElement | null)?.dataset ?? {};
      this.#show(host.bar, host.body, this.#status);
      if (control) host.bar.querySelector<HTMLElement>(`[data-control="${control}"]`)?.focus({ preventScroll: true });
      this.#states.add("ready");
      this.#tell("ready", { address: String(host.reader.listing()) });
      this.#watch(host);
    } catch (error) {
      if (signal.aborted) return;
      const again = h("button", { onclick: () => this.#plan() }, strings.retry);
      // What the page itself holds is shown again.
      this.#show(h("slot"));
      this.#root.prepend(this.#failed(error, strings, again));
    }
  }

  /** Takes the place of what was shown. */
  #show(...children: Node[]): void {
    this.#states.delete("ready");
    this.#root.replaceChildren(...children);
  }

  /** Looks for news now and then, and says so without moving what is being read. */
  #watch({ reader, manner, signal }: Host): void {
    if (!this.hasAttribute("live")) return;
    const seconds = Math.max(Number(this.getAttribute("live")) || LIVE, LIVE_MIN);
    const timer = setInterval(async () => {
      const number = document.hidden ? 0 : await reader.news(signal).catch(() => 0);
      if (!number || signal.aborted) return;
      const words = counted(manner.strings.news, number, manner.language);
      const button = h("button", { class: "news", onclick: () => this.#plan() }, words);
      this.#root.querySelector(".news")?.remove();
      this.#root.prepend(button);
      this.#status.textContent = words;
    }, seconds * 1000);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  /** Tells of an error, and gives it in words. */
  #failed(error: unknown, strings: Strings, ...more: Node[]): HTMLElement {
    this.#tell("error", { error });
    const said = error instanceof Refused ? error.message : "";
    return h("p", { role: "alert", part: "error" }, `${strings.failed} ${said} `, ...more);
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Every attribute is a property too: `element.knownAt = "2025-02-19"`. */
const PROPERTIES = new Map(
  ATTRIBUTES.filter((name) => name !== "lang").map((name) => [
    name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()),
    name,
  ]),
);
for (const [property, name] of PROPERTIES) {
  Object.defineProperty(EventTimeline.prototype, property, {
    configurable: true,
    get(this: HTMLElement) {
      return this.getAttribute(name);
    },
    set(this: HTMLElement, value: unknown) {
      if (value === null || value === undefined || value === false) this.removeAttribute(name);
      else this.setAttribute(name, value === true ? "" : String(value));
    },
  });
}

async function loaded(name: string): Promise<{ show(host: Host): Promise<void>; strings: unknown }> {
  const address = `./${name}-${DIGESTS[name]}.js`;
  return import(address);
}

async function shown(part: string, host: Host): Promise<void> {
  await (await loaded(part)).show(host);
}

function languageOf(element: HTMLElement): string {
  const given = element.closest<HTMLElement>("[lang]")?.lang || "en";
  try {
    return Intl.getCanonicalLocales(given)[0] ?? "en";
  } catch {
    return "en";
  }
}

async function stringsOf(language: string): Promise<Strings> {
  const short = /^sr.*-Latn/.test(language) ? "sr-latn" : language.split("-")[0]!;
  const name = `lang-${short}`;
  return name in DIGESTS ? named(english, (await loaded(name)).strings) : english;
}

if (!customElements.get("event-timeline")) customElements.define("event-timeline", EventTimeline);

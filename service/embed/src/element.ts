// <event-timeline src="…">: a timeline on any page. It asks nobody but the service it names, and leaves nothing behind.

import { h } from "./dom.js";
import type { Manner } from "./event.js";
import { kit, type Kit } from "./kit.js";
import { List } from "./list.js";
import { Reader, Refused, type Wants } from "./reader.js";
import { counted, english, type Strings } from "./strings.js";
import { sheetOf, styles } from "./style.js";

interface Part {
  show(host: Host): Promise<void>;
}
type Load<T> = () => Promise<T>;

/** Parts that are loaded once they are used. The builder puts in the names of their files. */
const PARTS: Record<string, Load<Part>> = {
  axis: () => import("./axis.js"),
  diff: () => import("./diff.js"),
  filters: () => import("./filters.js"),
  travel: () => import("./travel.js"),
};
const LANGUAGES: Record<string, Load<{ strings: Strings }>> = {
  ar: () => import("./lang/ar.js"),
  de: () => import("./lang/de.js"),
  es: () => import("./lang/es.js"),
  fr: () => import("./lang/fr.js"),
  it: () => import("./lang/it.js"),
  ru: () => import("./lang/ru.js"),
  sq: () => import("./lang/sq.js"),
  sr: () => import("./lang/sr.js"),
  "sr-latn": () => import("./lang/sr-latn.js"),
  uk: () => import("./lang/uk.js"),
};
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
  wants: Wants;
  kit: Kit;
  /** Adds to how it looks. */
  style(text: string): void;
  /** Says something to who does not see it. */
  announce(text: string): void;
  /** Narrows the selection: null takes a parameter away. */
  want(name: string, value: string | null): void;
  tell(name: string, detail: unknown): void;
}

class EventTimeline extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  readonly #root = this.attachShadow({ mode: "open" });
  readonly #status = h("p", { class: "sr", role: "status" });
  readonly #states = this.attachInternals().states;
  #narrowed: Wants = {};
  #working: AbortController | undefined;
  #planned = false;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [styles()];
    this.#root.append(h("slot"));
  }

  connectedCallback(): void {
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
      if (this.isConnected && this.getAttribute("src")) void this.#load();
    });
  }

  async #load(): Promise<void> {
    this.#working?.abort();
    const { signal } = (this.#working = new AbortController());
    try {
      const language = languageOf(this);
      const strings = await stringsOf(language);
      const wants = { ...this.#narrowed };
      for (const [attribute, parameter] of Object.entries(LENSES)) {
        if (!(parameter in wants) && this.hasAttribute(attribute)) wants[parameter] = this.getAttribute(attribute);
      }
      if (!this.dir && /^(ar|fa|he|ur)\b/.test(language)) this.dir = "rtl";
      const level = Number(this.getAttribute("heading"));
      const host: Host = {
        element: this,
        bar: h("div", { class: "bar", part: "bar" }),
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
        want: (name, value) => {
          this.#narrowed = { ...this.#narrowed, [name]: value };
          this.#plan();
        },
        tell: (name, detail) => this.#tell(name, detail),
      };
      const view = this.getAttribute("view") ?? (host.reader.source.pathname.endsWith("/diff") ? "diff" : "list");
      const part = view === "list" ? undefined : PARTS[view];
      await (part ? (await part()).show(host) : new List(host).begin());
      for (const name of ["filters", "travel"]) {
        if (this.hasAttribute(name) && !signal.aborted) await (await PARTS[name]!()).show(host);
      }
      if (signal.aborted) return;
      // Who has just used a control goes on with it.
      const { control } = (this.#root.activeElement as HTMLElement | null)?.dataset ?? {};
      this.#root.replaceChildren(host.bar, host.body, this.#status);
      if (control) host.bar.querySelector<HTMLElement>(`[data-control="${control}"]`)?.focus({ preventScroll: true });
      this.#states.add("ready");
      this.#tell("ready", { address: String(host.reader.listing) });
      this.#watch(host);
    } catch (error) {
      if (!signal.aborted) this.#fail(error);
    }
  }

  /** Looks for news now and then, and says so without moving what is being read. */
  #watch({ reader, manner, signal }: Host): void {
    if (!this.hasAttribute("live")) return;
    const seconds = Math.max(Number(this.getAttribute("live")) || LIVE, LIVE_MIN);
    const timer = setInterval(async () => {
      const number = document.hidden ? 0 : await reader.news(signal).catch(() => 0);
      if (!number || signal.aborted) return;
      const words = counted(manner.strings.news, number, manner.language);
      const button = h("button", { class: "news", part: "news", type: "button", onclick: () => this.#plan() }, words);
      this.#root.querySelector(".news")?.remove();
      this.#root.prepend(button);
      this.#status.textContent = words;
    }, seconds * 1000);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  /** What the page itself holds is shown again, with the reason. */
  #fail(error: unknown): void {
    const said = error instanceof Refused ? error.message : "";
    const again = h("button", { type: "button", onclick: () => this.#plan() }, english.retry);
    this.#root.replaceChildren(h("p", { role: "alert", part: "error" }, `${english.failed} ${said} `, again), h("slot"));
    this.#tell("error", { error });
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Every attribute is a property too: `element.knownAt = "2025-02-19"`. */
for (const name of ATTRIBUTES.filter((name) => name !== "lang")) {
  Object.defineProperty(EventTimeline.prototype, name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase()), {
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
  return (await LANGUAGES[short]?.())?.strings ?? english;
}

if (!customElements.get("event-timeline")) customElements.define("event-timeline", EventTimeline);

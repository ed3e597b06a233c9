// The list: pages of events as far as they are looked at, and no more of them in the document than a few.

import { h } from "./dom.js";
import type { Host } from "./element.js";
import { eventItem } from "./event.js";
import type { Page, TimelineEvent } from "./model.js";

/** Pages that are in the document at once; those further away keep their height alone. */
const PAGES_MAX = 4;

interface Kept {
  page: Page;
  items: HTMLLIElement[];
  /** Stands where the items were while they are away. */
  space: HTMLLIElement | null;
}

export class List {
  readonly #ol: HTMLOListElement;
  readonly #more: HTMLButtonElement;
  readonly #pages: Kept[] = [];
  readonly #events = new Map<string, TimelineEvent>();
  #next: string | null = null;
  #loading = false;

  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    const { strings } = host.manner;
    this.#ol = h("ol", {
      class: "list",
      part: "list",
      "aria-label": strings.events,
      onkeydown: (event: KeyboardEvent) => this.#key(event),
      onfocusin: (event: FocusEvent) => this.#current(this.#itemOf(event.target)),
      onclick: (event: MouseEvent) => this.#chosen(this.#itemOf(event.target)),
    });
    this.#more = h("button", { class: "more", onclick: () => void this.#append() }, strings.more);
  }

  async begin(): Promise<void> {
    const host = this.#host;
    const page = await host.reader.page(host.reader.listing(), host.signal);
    if (page.items.length === 0) {
      host.body.replaceChildren(h("p", { class: "quiet", part: "empty" }, host.manner.strings.none));
      return;
    }
    this.#add(page);
    this.#ol.querySelector("li")?.setAttribute("tabindex", "0");
    host.body.replaceChildren(this.#ol, this.#more);
    // Where the page grows with the timeline, more of it is shown when somebody asks, or it would never end.
    if (host.element.getAttribute("paging") !== "button") this.#observe();
  }

  #add(page: Page): void {
    const items = page.items.map((event) => {
      this.#events.set(event.id, event);
      return eventItem(event, page.included, this.#host.manner);
    });
    this.#ol.append(...items);
    this.#pages.push({ page, items, space: null });
    this.#next = page.next;
    this.#more.hidden = page.next === null;
  }

  async #append(): Promise<void> {
    if (this.#loading || this.#next === null) return;
    this.#loading = true;
    await this.#host.attempt(async () => {
      const first = this.#pages.length;
      this.#add(await this.#host.reader.page(this.#next!, this.#host.signal));
      this.#trim(first);
    });
    this.#loading = false;
  }

  #observe(): void {
    const host = this.#host;
    const seen = new IntersectionObserver(
      (entries) => {
        for (const entry of entries) {
          if (!entry.isIntersecting) continue;
          if (entry.target === this.#more) void this.#append();
          else this.#bring(this.#pages.findIndex((kept) => kept.space === entry.target));
        }
      },
      // Where it grows with its events, the window is what they come into sight of.
      { root: host.element.getAttribute("height") === "auto" ? null : host.element, rootMargin: "600px" },
    );
    seen.observe(this.#more);
    this.#spaces = seen;
    this.#host.signal.addEventListener("abort", () => seen.disconnect());
  }

  #spaces: IntersectionObserver | null = null;

  /** Puts a page back into its place. */
  #bring(place: number): void {
    const kept = this.#pages[place];
    if (!kept?.space) return;
    kept.items = kept.page.items.map((event) => eventItem(event, kept.page.included, this.#host.manner));
    this.#spaces?.unobserve(kept.space);
    kept.space.replaceWith(...kept.items);
    kept.space = null;
    this.#trim(place);
  }

  /** Takes the pages away that are furthest from this one, but none in which somebody is. */
  #trim(place: number): void {
    const there = this.#pages.map((kept, number) => ({ kept, number })).filter(({ kept }) => !kept.space);
    const active = (this.#ol.getRootNode() as ShadowRoot).activeElement;
    there
      .sort((one, other) => Math.abs(other.number - place) - Math.abs(one.number - place))
      .filter(({ kept }) => !kept.items.some((item) => item === active || item.contains(active)))
      .slice(0, Math.max(there.length - PAGES_MAX, 0))
      .forEach(({ kept }) => {
        const box = [kept.items[0]!.getBoundingClientRect().top, kept.items.at(-1)!.getBoundingClientRect().bottom] as const;
        const space = h("li", { "aria-hidden": "true" });
        space.style.blockSize = `${box[1] - box[0]}px`;
        kept.items[0]!.before(space);
        for (const item of kept.items) item.remove();
        kept.items = [];
        kept.space = space;
        this.#spaces?.observe(space);
      });
    // The Tab key still comes to one of those that are left.
    if (!this.#ol.querySelector('[tabindex="0"]')) this.#current(this.#pages[place]!.items[0] ?? null);
  }

  #itemOf(target: EventTarget | null): HTMLElement | null {
    return target instanceof Element ? target.closest<HTMLElement>("[data-id]") : null;
  }

  /** Makes an item the one that the Tab key comes to, with what is within it. */
  #current(item: HTMLElement | null): void {
    if (!item) return;
    for (const other of this.#ol.querySelectorAll('[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    item.setAttribute("tabindex", "0");
  }

  #chosen(item: HTMLElement | null): void {
    const event = item && this.#events.get(item.dataset.id!);
    if (event) this.#host.tell("select", event);
  }

  #key(event: KeyboardEvent): void {
    const item = this.#itemOf(event.target);
    if (!item || event.altKey || event.ctrlKey || event.metaKey) return;
    const details = item.querySelector("details");
    if (event.key === "Escape" && details?.open) {
      details.open = false;
      item.focus();
    } else if (event.key === "Enter" && event.target === item) {
      if (details) details.open = !details.open;
      this.#chosen(item);
    } else {
      const to = this.#stepped(item, event.key);
      if (to === undefined) return;
      to?.focus();
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Where a key leads: undefined where it is none of ours. */
  #stepped(item: HTMLElement, key: string): HTMLElement | null | undefined {
    const items = [...this.#ol.querySelectorAll<HTMLElement>("[data-id]")];
    const place = items.indexOf(item);
    const last = items.length - 1;
    if (key === "ArrowDown" && place === last) void this.#append();
    const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: last }[key];
    return to === undefined ? to : (items[to] ?? null);
  }
}

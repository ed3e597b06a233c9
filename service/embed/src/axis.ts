// The horizontal axis: spans as long as they are sure, soft where they are not, with zoom, pan, lanes and eras.
// What is too much to be drawn one by one is drawn as counts, which open when they are chosen.

import style from "./axis.css";
import type { Host } from "./element.js";
import type { Bucket, Histogram, Page, TimelineEvent } from "./model.js";
import type { Wants } from "./reader.js";

/** Events that are drawn one by one; more are counted. */
const MARKS_MAX = 500;
const YEAR = 31_556_952;
const DAY = 86_400;
/** Seconds between ticks; longer steps are those of the calendar. */
const STEPS = [60, 300, 900, 3_600, 10_800, 21_600, 43_200, DAY, 2 * DAY, 7 * DAY];
const SHORTEST = 60;
const ROW = 38;
const LABEL_MAX = 220;
const SETTLED_MS = 150;
const ERA = "era";
/** So many seconds from 1970 only years are told apart, for no Date reaches there. */
const DEEP = 8e12;

interface Mark {
  event: TimelineEvent;
  from: number;
  to: number;
  open: "start" | "end" | null;
  soft: boolean;
}

type Range = readonly [number, number];

export async function show(host: Host): Promise<void> {
  host.style(style);
  const axis = new Axis(host);
  await axis.begin();
}

class Axis {
  readonly #h: Host["kit"]["h"];
  readonly #marksList: HTMLElement;
  readonly #scale: HTMLElement;
  readonly #field: HTMLElement;
  readonly #element: HTMLElement;
  readonly #detail: HTMLElement;
  readonly #rtl: boolean;
  #page: Page | null = null;
  #histogram!: Histogram;
  #marks: Mark[] = [];
  #whole: Range = [0, 1];
  #shown: Range = [0, 1];
  /** What has been asked for, and so needs not be asked for again. */
  #known: Range | null = null;
  #current = 0;
  #settling: ReturnType<typeof setTimeout> | undefined;

  readonly #host: Host;

  constructor(host: Host) {
    this.#host = host;
    const { h } = host.kit;
    const { strings } = host.manner;
    this.#h = h;
    this.#rtl = getComputedStyle(host.element).direction === "rtl";
    this.#marksList = h("ol", { class: "marks", "aria-label": strings.events });
    this.#scale = h("div", { class: "scale", "aria-hidden": "true" });
    this.#field = h("div", { class: "field" }, this.#marksList);
    this.#detail = h("div", { part: "detail" });
    this.#element = h(
      "div",
      {
        class: "axis",
        role: "group",
        tabindex: "-1",
        "aria-label": strings.axis,
        onkeydown: (event: KeyboardEvent) => this.#key(event),
      },
      this.#field,
      this.#scale,
    );
    this.#element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#gestures();
  }

  async begin(): Promise<void> {
    const [host, h] = [this.#host, this.#h] as const;
    const { strings } = host.manner;
    this.#histogram = await host.reader.histogram({}, host.signal);
    const { buckets, matching, undated } = this.#histogram;
    const left =
      undated > 0 &&
      h(
        "p",
        { class: "quiet", part: "undated" },
        `${strings.undated}: ${host.kit.counted(strings.number, undated, host.manner.language)}`,
      );
    if (matching <= MARKS_MAX) this.#take(await this.#read());
    const bounds = this.#marks.flatMap((mark) => [mark.from, mark.to]);
    if (matching > MARKS_MAX) bounds.push(...buckets.flatMap((bucket) => this.#rangeOf(bucket)));
    if (bounds.length === 0) {
      host.body.replaceChildren(left || h("p", { class: "quiet", part: "empty" }, strings.none));
      return;
    }
    const [first, last] = [Math.min(...bounds), Math.max(...bounds)];
    const margin = Math.max((last - first) * 0.03, SHORTEST);
    this.#whole = this.#shown = [first - margin, last + margin];
    if (matching <= MARKS_MAX) this.#known = this.#whole;
    const button = (name: string, sign: string, factor: number): HTMLElement =>
      h(
        "button",
        { title: name, part: "zoom", "data-sign": sign, onclick: () => this.#zoom(factor) },
        h("span", { class: "sr" }, name),
      );
    host.bar.append(button(strings.zoomIn, "+", 0.5), button(strings.zoomOut, "−", 2));
    host.body.replaceChildren(this.#element, ...(left ? [left] : []), this.#detail);
    this.#draw();
    const resized = new ResizeObserver(() => this.#draw());
    resized.observe(this.#element);
    host.signal.addEventListener("abort", () => resized.disconnect());
  }

  /** Asks for the events of a stretch, or of all. */
  #read(window?: Wants): Promise<Page> {
    const { reader, signal } = this.#host;
    const address = reader.listing({ limit: String(MARKS_MAX), cursor: null, ...window });
    return reader.page(address, signal, !window);
  }

  #take(page: Page | null): void {
    this.#page = page;
    const now = Date.now() / 1000;
    this.#marks = page?.items.flatMap((event) => this.#markOf(event, now) ?? []) ?? [];
    this.#marks.sort((one, other) => one.from - other.from);
  }

  #markOf(event: TimelineEvent, now: number): Mark | null {
    const { occurred } = event;
    const { secondsOf } = this.#host.kit;
    if (!occurred || (occurred.earliest === null && occurred.latest === null)) return null;
    const from = secondsOf(occurred.earliest ?? occurred.latest!);
    const to = occurred.latest === null ? Math.max(now, from) : secondsOf(occurred.latest, true);
    const open = occurred.latest === null ? "end" : occurred.earliest === null ? "start" : null;
    const exact = /^(day|hour|minute|second)$/.test(occurred.precision) && !/[[{~?%X]/.test(occurred.edtf);
    return { event, from, to, open, soft: !exact };
  }

  #rangeOf({ start, end }: Bucket): Range {
    return [this.#host.kit.secondsOf(start), this.#host.kit.secondsOf(end, true)];
  }

  get #width(): number {
    return this.#element.clientWidth || 800;
  }

  #share(seconds: number): number {
    return ((seconds - this.#shown[0]) / (this.#shown[1] - this.#shown[0])) * 100;
  }

  #draw(): void {
    const { activeElement } = this.#element.getRootNode() as ShadowRoot;
    const held = activeElement === this.#element || this.#marksList.contains(activeElement ?? null);
    this.#marksList.replaceChildren(...(this.#counted ? this.#counts() : this.#events()));
    this.#scale.replaceChildren(...this.#ticks());
    // The Tab key comes to what is in sight.
    const first = this.#marksList.querySelector<HTMLElement>("li:not(.era) button");
    if (first && !this.#marksList.querySelector('[tabindex="0"]')) {
      first.tabIndex = 0;
      this.#current = Number(first.dataset.number ?? 0);
    }
    if (held) this.#focus();
  }

  /** A bar for each stretch, as high as there are events in it. */
  #counts(): HTMLElement[] {
    const h = this.#h;
    const { strings, language } = this.#host.manner;
    const number = new Intl.NumberFormat(language);
    const most = Math.max(...this.#histogram.buckets.map((bucket) => bucket.count), 1);
    const bars = this.#histogram.buckets.filter((bucket) => bucket.count > 0);
    this.#marksList.style.blockSize = "100%";
    return bars.flatMap((bucket, place) => {
      const [from, to] = this.#rangeOf(bucket);
      const [left, right] = [this.#share(from), this.#share(to)];
      if (right < 0 || left > 100) return [];
      const name = `${bucket.start} – ${bucket.end}: ${number.format(bucket.count)} (${strings.zoomIn})`;
      const tabindex = place === this.#current ? 0 : -1;
      const bar = h(
        "li",
        { class: "bar-of", part: "count" },
        h("button", { "aria-label": name, title: name, tabindex, "data-number": place, onclick: () => this.#go([from, to]) }),
      );
      bar.style.blockSize = `${8 + (bucket.count / most) * 92}%`;
      return [put(bar, left, `max(${right - left}%, 2px)`)];
    });
  }

  /** Marks in lanes, so that none lies on another; eras lie behind them all. */
  #events(): HTMLElement[] {
    const h = this.#h;
    const width = this.#width;
    const items: HTMLElement[] = [];
    const groups = Map.groupBy(this.#marks, (mark) => this.#groupOf(mark.event));
    let top = 0;
    for (const [group, marks] of groups) {
      if (group !== null) {
        items.push(put(h("li", { class: "group" }, group || "—"), 0, "", top));
        top += 22;
      }
      const lanes: number[] = [];
      for (const mark of marks) {
        const left = this.#share(mark.from);
        const long = Math.max(this.#share(mark.to) - left, 0);
        if (left + long < 0 || left > 100) continue;
        if (mark.event.kind === ERA) {
          // No more of it than is in sight, so that its name is.
          const begins = Math.max(left, 0);
          items.unshift(this.#eraOf(mark, begins, Math.min(left + long, 100) - begins));
          continue;
        }
        const label = (Math.min(mark.event.title.length * 7.5 + 40, LABEL_MAX + 20) / width) * 100;
        const starts = Math.max(Math.min(left, 100 - label), -1);
        const ends = Math.max(left + long, starts + label);
        let lane = lanes.findIndex((until) => until <= starts);
        if (lane < 0) lane = lanes.length;
        lanes[lane] = ends;
        items.push(this.#itemOf(mark, left, long, label, top + lane * ROW));
      }
      top += Math.max(lanes.length, 1) * ROW;
    }
    // The names of eras stand below all marks.
    this.#marksList.style.blockSize = `${top + ROW}px`;
    return items;
  }

  #groupOf(event: TimelineEvent): string | null {
    switch (this.#host.element.getAttribute("lanes")) {
      case "kind":
        return event.kind ?? "";
      case "tag":
        return event.tags[0] ?? "";
      case "actor": {
        const slug = event.actors[0]?.actor;
        return slug ? this.#host.kit.actorName(slug, this.#page!.included, this.#host.manner.language) : "";
      }
      default:
        return null;
    }
  }

  #eraOf(mark: Mark, left: number, long: number): HTMLElement {
    const item = this.#h("li", { class: "era" }, this.#buttonOf(mark, mark.event.title));
    return put(item, left, `${long}%`);
  }

  #buttonOf(mark: Mark, ...children: (Node | string)[]): HTMLElement {
    const { kit, manner } = this.#host;
    const { occurred, standing } = mark.event;
    const number = this.#marks.indexOf(mark);
    const when = kit.dateText(occurred!, manner.language, manner.strings);
    const told = [when, manner.strings.standings[standing.state] ?? standing.state];
    return this.#h(
      "button",
      {
        tabindex: number === this.#current ? 0 : -1,
        title: told.join(" · "),
        "data-number": number,
        onclick: () => this.#choose(number),
      },
      ...children,
      this.#h("span", { class: "sr" }, `, ${told.join(", ")}`),
    );
  }

  #itemOf(mark: Mark, left: number, long: number, label: number, top: number): HTMLElement {
    const h = this.#h;
    const { kit } = this.#host;
    const { occurred, standing, title } = mark.event;
    const signs = `${kit.marks[standing.state] ?? ""}${occurred!.approximate ? " ≈" : ""}${occurred!.uncertain ? " ?" : ""}`.trim();
    // Words stay in sight: of what goes on beyond the left edge, and of what begins near the right one.
    const from = Math.max(left, -1);
    const begins = Math.max(Math.min(from, 100 - label), -1);
    const visible = Math.max(left + long - from, 0);
    const size = Math.max(from - begins + visible, label);
    const span = h("span", { class: "span" });
    const text = h("span", { class: "text", dir: "auto", "data-sign": signs || null }, title);
    const item = h(
      "li",
      {
        class: "mark",
        part: `mark ${standing.state}`,
        "data-standing": standing.state,
        "data-soft": mark.soft && !mark.open ? "both" : null,
        "data-open": mark.open,
      },
      this.#buttonOf(mark, span, text),
    );
    put(span, ((from - begins) / size) * 100, `${(visible / size) * 100}%`);
    return put(item, begins, `${size}%`, top);
  }

  *#ticks(): Iterable<HTMLElement> {
    const [begin, end] = this.#shown;
    const count = Math.max(Math.floor((this.#width) / 130), 2);
    const [stops, format] = ticksOf(begin, end, count, this.#host.manner.language);
    for (const at of stops) {
      yield put(this.#h("span", { class: "tick" }, format(at)), this.#share(at));
    }
  }

  #zoom(factor: number, at = (this.#shown[0] + this.#shown[1]) / 2): void {
    const [begin, end] = this.#shown;
    const length = Math.max((end - begin) * factor, SHORTEST);
    const part = (at - begin) / (end - begin);
    this.#go([at - length * part, at + length * (1 - part)]);
  }

  #pan(by: number): void {
    this.#go([this.#shown[0] + by, this.#shown[1] + by]);
  }

  /** Shows a stretch, within the whole, and asks for what is in it once it stands still. */
  #go([begin, end]: Range): void {
    const [first, last] = this.#whole;
    const least = Math.max(-begin, end) > DEEP ? 10 * YEAR : SHORTEST;
    const length = Math.min(Math.max(end - begin, least), last - first);
    const from = Math.min(Math.max(begin, first), last - length);
    this.#shown = [from, from + length];
    this.#draw();
    this.#host.tell("rangechange", { from: dayOf(from), to: dayOf(from + length) });
    const known = this.#known;
    if (known && known[0] <= this.#shown[0] && known[1] >= this.#shown[1]) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.#host.attempt(() => this.#look()), SETTLED_MS);
  }

  async #look(): Promise<void> {
    const [host, shown] = [this.#host, this.#shown] as const;
    const window = { from: dayOf(shown[0]), to: dayOf(shown[1]) };
    const histogram = await host.reader.histogram(window, host.signal);
    const few = histogram.matching <= MARKS_MAX;
    const page = few ? await this.#read(window) : null;
    // What has been moved to since is asked for by itself.
    if (this.#shown !== shown) return;
    this.#histogram = histogram;
    this.#take(page);
    this.#known = few ? shown : null;
    this.#current = 0;
    this.#draw();
    host.announce(host.kit.counted(host.manner.strings.number, histogram.matching, host.manner.language));
  }

  #wheel(event: WheelEvent): void {
    const sideways = Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (!event.ctrlKey && !sideways && !event.shiftKey) return;
    event.preventDefault();
    if (event.ctrlKey) this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.#at(event.clientX));
    else this.#pan(this.#length(sideways ? event.deltaX : event.deltaY));
  }

  /** Seconds that a way on the screen is long, to the later side. */
  #length(pixels: number): number {
    const part = pixels / (this.#width);
    return part * (this.#shown[1] - this.#shown[0]) * (this.#rtl ? -1 : 1);
  }

  #at(x: number): number {
    const box = this.#element.getBoundingClientRect();
    return this.#shown[0] + this.#length(this.#rtl ? x - box.right : x - box.left);
  }

  /** One finger or the mouse moves the axis, two stretch it. */
  #gestures(): void {
    const down = new Map<number, PointerEvent>();
    const element = this.#element;
    element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || (event.pointerType === "mouse" && (event.target as Element).closest("button"))) return;
      down.set(event.pointerId, event);
    });
    element.addEventListener("pointermove", (event) => {
      const before = down.get(event.pointerId);
      if (!before) return;
      const [one, other] = [...down.values()];
      if (one && other) {
        const still = before === one ? other : one;
        const [was, is] = [Math.abs(before.clientX - still.clientX), Math.abs(event.clientX - still.clientX)];
        if (was > 10 && is > 10) this.#zoom(was / is, this.#at((event.clientX + still.clientX) / 2));
      } else {
        if (Math.abs(event.clientX - before.clientX) < 2) return;
        element.setPointerCapture(event.pointerId);
        this.#pan(-this.#length(event.clientX - before.clientX));
      }
      down.set(event.pointerId, event);
    });
    for (const name of ["pointerup", "pointercancel", "pointerleave"] as const) {
      element.addEventListener(name, (event) => down.delete(event.pointerId));
    }
  }

  #key(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const half = (this.#shown[1] - this.#shown[0]) / 2;
    const on = this.#rtl ? -1 : 1;
    const acts: Record<string, () => void> = {
      ArrowLeft: () => this.#step(-on),
      ArrowRight: () => this.#step(on),
      ArrowUp: () => this.#step(-1),
      ArrowDown: () => this.#step(1),
      Home: () => this.#step(-Infinity),
      End: () => this.#step(Infinity),
      PageUp: () => this.#pan(-half),
      PageDown: () => this.#pan(half),
      "+": () => this.#zoom(0.5),
      "-": () => this.#zoom(2),
      "0": () => this.#go(this.#whole),
      Escape: () => this.#detail.replaceChildren(),
    };
    const act = acts[event.key];
    if (!act) return;
    act();
    event.preventDefault();
    event.stopPropagation();
  }

  /** The focus goes to another mark, or count, which is moved into sight. */
  #step(by: number): void {
    const number = this.#counted ? this.#marksList.querySelectorAll("button").length : this.#marks.length;
    this.#current = Math.min(Math.max(this.#current + by, 0), number - 1);
    const mark = this.#counted ? undefined : this.#marks[this.#current];
    const half = (this.#shown[1] - this.#shown[0]) / 2;
    if (mark && (mark.to < this.#shown[0] || mark.from > this.#shown[1])) this.#go([mark.from - half, mark.from + half]);
    else this.#draw();
    this.#focus();
  }

  #focus(): void {
    // Where nothing is in sight, keys still move the axis itself.
    (this.#marksList.querySelector<HTMLElement>('[tabindex="0"]') ?? this.#element).focus();
  }

  /** Whether there are too many events to draw them one by one. */
  get #counted(): boolean {
    return this.#page === null || this.#page.next !== null;
  }

  #choose(number: number): void {
    this.#current = number;
    const host = this.#host;
    const { event } = this.#marks[number]!;
    const item = host.kit.eventItem(event, this.#page!.included, host.manner);
    item.querySelector("details")?.setAttribute("open", "");
    this.#detail.replaceChildren(this.#h("ol", { class: "list" }, item));
    host.announce(event.title);
    host.tell("select", event);
  }
}

/** Puts something into its place on the axis: per cent from its beginning, how long, and pixels from the top. */
function put(item: HTMLElement, left: number, length = "", top?: number): HTMLElement {
  item.style.insetInlineStart = `${left}%`;
  item.style.inlineSize = length;
  if (top !== undefined) item.style.insetBlockStart = `${top}px`;
  return item;
}

/** A day as the interface takes it; far from our time, a year is fine enough. */
function dayOf(seconds: number): string {
  const year = Math.floor(seconds / YEAR + 1970);
  if (year >= 0 && year < 9_999) return new Date(seconds * 1000).toISOString().slice(0, 10);
  return Math.abs(year) > 9_999 ? `Y${year}` : `${year < 0 ? "-" : ""}${String(Math.abs(year)).padStart(4, "0")}`;
}

/** Where ticks stand, and their words: in steps of the calendar where there is one, of the number line beyond. */
function ticksOf(begin: number, end: number, count: number, language: string): [number[], (at: number) => string] {
  const wanted = (end - begin) / count;
  const deep = Math.max(-begin, end) > DEEP;
  const stops: number[] = [];
  const words = (options: Intl.DateTimeFormatOptions) => {
    const format = new Intl.DateTimeFormat(language, { ...options, timeZone: "UTC" });
    return (at: number): string => format.format(at * 1000);
  };
  const seconds = STEPS.find((each) => each >= wanted);
  if (seconds && !deep) {
    for (let at = Math.ceil(begin / seconds) * seconds; at <= end; at += seconds) stops.push(at);
    const fine = { day: "numeric", month: "short" } as const;
    return [stops, words(seconds < DAY ? { ...fine, hour: "2-digit", minute: "2-digit" } : { ...fine, year: "numeric" })];
  }
  const months = Math.max(wanted / (YEAR / 12), deep ? 12 : 1);
  const power = 10 ** Math.floor(Math.log10(months / 12));
  const step = [1, 2, 3, 6, ...[1, 2, 5, 10].map((each) => Math.max(each * power, 1) * 12)].find((each) => each >= months)!;
  const [first, last] = [begin, end].map((at) => (at / YEAR + 1970) * 12) as [number, number];
  for (let month = Math.ceil(first / step) * step; month <= last; month += step) {
    stops.push(deep ? (month / 12 - 1970) * YEAR : new Date(0).setUTCFullYear(0, month, 1) / 1000);
  }
  if (deep) {
    // As many digits as tell one tick from the next.
    const digits = Math.ceil(Math.log10(Math.max(-first, last) / step)) + 1;
    const number = new Intl.NumberFormat(language, { notation: "compact", maximumSignificantDigits: digits });
    return [stops, (at) => number.format(Math.round(at / YEAR + 1970))];
  }
  return [stops, words({ year: "numeric", ...(step < 12 && { month: "short" }), ...(first < 0 && { era: "short" }) })];
}

// Travel in time: a slider whose stops are the days on which answers change, on each of the two clocks of knowledge.

import style from "./travel.css";
import type { Host } from "./element.js";
import type { Bucket } from "./model.js";

const CLOCKS = {
  "known-at": { on: "published", from: "published_from", to: "published_to", word: "known" },
  "as-of": { on: "recorded", from: "recorded_from", to: "recorded_to", word: "recorded" },
} as const;
/** Stretches that are looked into for their days, and stops that a slider has at most. */
const STRETCHES_MAX = 12;
const STOPS_MAX = 300;


export async function show(host: Host): Promise<void> {
  host.style(style);
  const asked = host.element.getAttribute("travel");
  const clocks = asked === "both" ? (["known-at", "as-of"] as const) : [asked === "as-of" ? "as-of" : "known-at"] as const;
  for (const clock of clocks) {
    const slider = await sliderOf(host, clock);
    if (slider) host.bar.append(slider);
  }
}

async function sliderOf(host: Host, attribute: keyof typeof CLOCKS): Promise<HTMLElement | null> {
  const { h, secondsOf } = host.kit;
  const { strings, language } = host.manner;
  const stops = await stopsOf(host, attribute);
  const now = host.element.getAttribute(attribute)?.slice(0, 10);
  if (stops.length < 2 && !now) return null;
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" });
  const text = (place: number): string =>
    place >= stops.length ? strings.now : format.format(new Date(secondsOf(stops[place]!) * 1000));
  const found = now ? stops.findIndex((stop) => stop >= now) : -1;
  const at = found < 0 ? stops.length : found;
  const output = h("output", {}, text(at));
  const slider = h("input", {
    type: "range",
    part: "slider",
    "data-control": attribute,
    min: "0",
    max: stops.length,
    value: at,
    "aria-valuetext": text(at),
    oninput: () => {
      output.textContent = text(slider.valueAsNumber);
      slider.setAttribute("aria-valuetext", text(slider.valueAsNumber));
    },
    onchange: () => {
      const place = slider.valueAsNumber;
      host.announce(text(place));
      if (place >= stops.length) host.element.removeAttribute(attribute);
      else host.element.setAttribute(attribute, attribute === "as-of" ? `${stops[place]}T23:59:59Z` : stops[place]!);
    },
  });
  return h("label", { class: "travel", part: "travel" }, strings[CLOCKS[attribute].word], slider, output);
}

/** The days on which anything was published or recorded of the selection as it is without this lens. */
async function stopsOf(host: Host, attribute: keyof typeof CLOCKS): Promise<string[]> {
  const { on, from, to } = CLOCKS[attribute];
  const without = { on, known_at: null, as_of: null };
  const filled = (buckets: Bucket[]): Bucket[] => buckets.filter((bucket) => bucket.count > 0);
  const whole = await host.reader.histogram(without, host.signal);
  const stretches = filled(whole.buckets);
  if (whole.interval === "day") return stretches.map((bucket) => bucket.end).slice(-STOPS_MAX);
  const stops: string[] = [];
  for (const [place, stretch] of stretches.entries()) {
    if (place < stretches.length - STRETCHES_MAX) {
      stops.push(stretch.end);
      continue;
    }
    const [first, last] = attribute === "as-of" ? [`${stretch.start}T00:00:00Z`, `${stretch.end}T23:59:59Z`] : [stretch.start, stretch.end];
    const narrow = { ...without, [from]: first, [to]: last };
    const within = await host.reader.histogram(narrow, host.signal).catch(() => ({ buckets: [stretch] }));
    const inside = filled(within.buckets).map((bucket) => bucket.end).filter((day) => day >= stretch.start && day <= stretch.end);
    stops.push(...(inside.length > 0 ? inside : [stretch.end]));
  }
  return [...new Set(stops)].sort().slice(-STOPS_MAX);
}

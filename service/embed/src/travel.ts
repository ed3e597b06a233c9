// Travel in time: a slider whose stops are the days on which answers change, on each of the two clocks of knowledge.

import style from "./travel.css";
import type { Host } from "./element.js";
import type { Bucket } from "./model.js";

const CLOCKS = {
  "known-at": { lens: "known_at", on: "published", word: "known" },
  "as-of": { lens: "as_of", on: "recorded", word: "recorded" },
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
  const { h, secondsOf, dayText } = host.kit;
  const { strings, language } = host.manner;
  const { lens, word } = CLOCKS[attribute];
  const known = attribute === "known-at";
  const own = host.reader.source.searchParams.get(lens) ?? (await host.reader.stored(host.signal))[lens];
  // What the page or the timeline itself looks through is left behind by what is later than all there is.
  const latest = (): string | null => (!own ? null : known ? "9999" : new Date(Date.now() - 60_000).toISOString());
  const today = new Date().toISOString().slice(0, 10);
  // As of today is now, since nothing is recorded at an hour that is still to come.
  const stops = (await stopsOf(host, attribute, latest())).filter((stop) => known || stop < today);
  const through = host.element.getAttribute(attribute) ?? own;
  if (stops.length < (known ? 2 : 1) && !through) return null;
  const text = (place: number): string => (place in stops ? dayText(stops[place]!, language, strings) : strings.now);
  let at = stops.length;
  let output = h("output", {}, strings.now);
  if (typeof through === "string") {
    const until = known ? secondsOf(through, true) : Date.parse(through) / 1000;
    if (until * 1000 < Date.now()) {
      at = Math.max(stops.findLastIndex((stop) => secondsOf(stop) < until), 0);
      output = h("output", {}, dayText(through.split("T")[0]!, language, strings));
    }
  }
  const slider = h("input", {
    type: "range",
    part: "slider",
    "data-control": attribute,
    min: "0",
    max: stops.length,
    value: at,
    "aria-valuetext": output.textContent,
    oninput: () => {
      output.textContent = text(slider.valueAsNumber);
      slider.setAttribute("aria-valuetext", text(slider.valueAsNumber));
    },
    onchange: () => {
      const place = slider.valueAsNumber;
      host.announce(text(place));
      const stop = stops[place];
      const to = stop ? (known ? stop : `${stop}T23:59:59Z`) : latest();
      if (to) host.element.setAttribute(attribute, to);
      else host.element.removeAttribute(attribute);
    },
  });
  return h("label", { class: "travel" }, strings[word], slider, output);
}

/** The days on which anything was published or recorded, of the selection as it is through the latest lens, or none. */
async function stopsOf(host: Host, attribute: keyof typeof CLOCKS, latest: string | null): Promise<string[]> {
  const { lens, on } = CLOCKS[attribute];
  const without = { on, known_at: null, as_of: null, revision: null, [lens]: latest };
  const filled = (buckets: Bucket[]): Bucket[] => buckets.filter((bucket) => bucket.count > 0);
  const whole = await host.reader.histogram(without, host.signal);
  const stretches = filled(whole.buckets);
  const stops: string[] = [];
  for (const [place, stretch] of stretches.entries()) {
    if (whole.interval === "day" || place < stretches.length - STRETCHES_MAX) {
      stops.push(stretch.end);
      continue;
    }
    const [first, last] = attribute === "as-of" ? [`${stretch.start}T00:00:00Z`, `${stretch.end}T23:59:59Z`] : [stretch.start, stretch.end];
    const narrow = { ...without, [`${on}_from`]: first!, [`${on}_to`]: last! };
    const within = await host.reader.histogram(narrow, host.signal).catch(() => ({ buckets: [stretch] }));
    const inside = filled(within.buckets).map((bucket) => bucket.end).filter((day) => day >= stretch.start && day <= stretch.end);
    stops.push(...(inside.length > 0 ? inside : [stretch.end]));
  }
  return [...new Set(stops)].slice(-STOPS_MAX);
}

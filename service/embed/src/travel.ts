// Travel in time: a slider whose stops are the days on which answers change, on each of the two clocks of knowledge.

import style from "./travel.css";
import type { Host } from "./element.js";
import type { Bucket } from "./model.js";
import type { Wants } from "./reader.js";

/** Stretches that are looked into for their days, and stops that a slider has at most. */
const STRETCHES_MAX = 12;
const STOPS_MAX = 300;

export async function show(host: Host): Promise<void> {
  host.style(style);
  const asked = host.element.getAttribute("travel");
  for (const known of [true, false]) {
    if (asked !== "both" && known === (asked === "as-of")) continue;
    const slider = await sliderOf(host, known);
    if (slider) host.bar.append(slider);
  }
}

/** known: of the two clocks that of publication. */
async function sliderOf(host: Host, known: boolean): Promise<HTMLElement | null> {
  const { h, secondsOf, dayText } = host.kit;
  const { strings, language } = host.manner;
  const { searchParams } = host.reader.source;
  const [attribute, lens] = known ? ["known-at", "known_at"] : ["as-of", "as_of"];
  // A revision by its number is no instant.
  if (!known && searchParams.has("revision")) return null;
  const own = searchParams.get(lens!) ?? (await host.reader.stored(host.signal))[lens!];
  const through = host.element.getAttribute(attribute!) ?? own;
  const now = Date.now() / 1000;
  // What the page or the timeline itself looks through is left behind by what is later than all there is.
  const latest = !own ? null : known ? "9999" : new Date((now - 60) * 1000).toISOString();
  const stops = await stopsOf(host, known, { [lens!]: latest });
  let [at, seen]: [number | undefined, string | undefined] = [undefined, undefined];
  for (const instant of [own, through]) {
    at = seen = undefined;
    if (!instant) continue;
    const until = known ? secondsOf(String(instant), true) : Date.parse(String(instant)) / 1000;
    const place = stops.findLastIndex((stop) => secondsOf(stop) < until);
    // It is now where nothing comes after, and the instant is no other; a minute or two are no other.
    if (until > now - 120 && (!known || place >= stops.length - 1)) continue;
    seen = String(instant).split("T")[0]!;
    // What is earlier than all stops is one itself.
    if (place < 0) stops.unshift(seen);
    at = Math.max(place, 0);
  }
  at ??= stops.length;
  const words = (stop: string | undefined): string => (stop ? dayText(stop, language, strings) : strings.now);
  if (stops.length < (known ? 2 : 1)) return null;
  const output = h("output", {}, words(seen));
  const slider = h("input", {
    type: "range",
    part: "slider",
    "data-control": attribute,
    min: "0",
    max: stops.length,
    value: at,
    "aria-valuetext": output.textContent,
    oninput: () => {
      output.textContent = words(stops[slider.valueAsNumber]);
      slider.setAttribute("aria-valuetext", output.textContent!);
    },
    onchange: () => {
      const stop = stops[slider.valueAsNumber];
      host.announce(words(stop));
      const to = stop ? (known ? stop : `${stop}T23:59:59Z`) : latest;
      if (to) host.element.setAttribute(attribute!, to);
      else host.element.removeAttribute(attribute!);
    },
  });
  return h("label", { class: "travel" }, strings[known ? "known" : "recorded"], slider, output);
}

/** The days on which anything was published or recorded, of the selection as it is through the latest lens, or none. */
async function stopsOf(host: Host, known: boolean, latest: Wants): Promise<string[]> {
  const on = known ? "published" : "recorded";
  const without = { on, ...latest };
  const filled = (buckets: Bucket[]): Bucket[] => buckets.filter((bucket) => bucket.count > 0);
  const whole = await host.reader.histogram(without, host.signal);
  const stretches = filled(whole.buckets);
  const stops = new Set<string>();
  for (const [place, { start, end }] of stretches.entries()) {
    let days = [end];
    if (whole.interval !== "day" && place >= stretches.length - STRETCHES_MAX) {
      const times = known ? [start, end] : [`${start}T00:00:00Z`, `${end}T23:59:59Z`];
      const narrow = { ...without, [`${on}_from`]: times[0], [`${on}_to`]: times[1] };
      const within = await host.reader.histogram(narrow, host.signal).catch(() => ({ buckets: [] }));
      const found = filled(within.buckets).map((bucket) => bucket.end);
      const inside = found.filter((day) => day >= start && day <= end);
      if (inside.length > 0) days = inside;
    }
    for (const day of days) stops.add(day);
  }
  // As of today is now, since nothing is recorded at an hour that is still to come.
  const today = new Date().toISOString().slice(0, 10);
  return [...stops].filter((stop) => known || stop < today).slice(-STOPS_MAX);
}

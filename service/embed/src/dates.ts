// Dates in words, by Intl, no finer and no surer than they are.

import type { Occurred } from "./model.js";
import { filled, type Strings } from "./strings.js";

/** A bound: year as astronomers count, then month, day, hour, minute and second, as many as it has. */
type Parts = number[];

const UNITS = ["year", "month", "day", "hour", "minute", "second"] as const;
type Unit = (typeof UNITS)[number];

const YEARS_OF_DATE = 270_000;
const DEEP = 100_000;

function partsOf(bound: string): Parts {
  const [, sign, day, time] = /^([+-]?)([^T]+)(?:T(.*)Z)?$/.exec(bound) ?? [];
  const parts = `${day}${time ? `-${time.replace(/:/g, "-")}` : ""}`.split("-").map(Number);
  if (sign === "-") parts[0] = -parts[0]!;
  return parts;
}

/** Seconds since 1970 of a bound, also where no Date reaches: there only the year counts. end: of when it is over. */
export function secondsOf(bound: string, end = false): number {
  const parts = partsOf(bound);
  if (end) parts[parts.length - 1]!++;
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts;
  if (Math.abs(year) > YEARS_OF_DATE) return (year - 1970) * 31_556_952;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return date.setUTCHours(hour, minute, second) / 1000;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(language: string, unit: Unit, era: boolean): Intl.DateTimeFormat {
  const key = `${language} ${unit} ${era}`;
  let format = formats.get(key);
  if (!format) {
    const place = UNITS.indexOf(unit);
    const options: Intl.DateTimeFormatOptions = { timeZone: "UTC", year: "numeric" };
    if (era) options.era = "short";
    if (place > 0) options.month = "long";
    if (place > 1) options.day = "numeric";
    if (place > 2) {
      options.hour = options.minute = "2-digit";
      options.timeZoneName = "short";
    }
    if (place > 4) options.second = "2-digit";
    format = new Intl.DateTimeFormat(language, options);
    formats.set(key, format);
  }
  return format;
}

function dateOf(bound: string): Date {
  return new Date(secondsOf(bound) * 1000);
}

/** One bound to a unit. */
function pointOf(bound: string, unit: Unit, language: string, strings: Strings): string {
  const year = partsOf(bound)[0]!;
  if (Math.abs(year) > DEEP) return deep(year, language, strings);
  return formatOf(language, unit, year < 1).format(dateOf(bound));
}

function deep(year: number, language: string, strings: Strings): string {
  const options = { notation: "compact", compactDisplay: "long", maximumSignificantDigits: 4 } as const;
  const number = new Intl.NumberFormat(language, options);
  return year < 0 ? filled(strings.ago, number.format(-year)) : number.format(year);
}

function rangeOf(first: string, last: string, unit: Unit, language: string, strings: Strings): string {
  const years = [partsOf(first)[0]!, partsOf(last)[0]!];
  if (years.some((year) => Math.abs(year) > DEEP)) {
    return `${pointOf(first, unit, language, strings)} – ${pointOf(last, unit, language, strings)}`;
  }
  return formatOf(language, unit, years.some((year) => year < 1)).formatRange(dateOf(first), dateOf(last));
}

/** How finely one side of a date is stated. */
function unitOf(side: string): Unit {
  if (side.includes("T")) return "second";
  const parts = side.replace(/[?~%]/g, "").replace(/^Y?-?/, "").split("-").filter((part) => !part.includes("X"));
  if (parts.length > 1 && Number(parts[1]) > 12) return "month";
  return UNITS[Math.min(Math.max(parts.length, 1), 3) - 1]!;
}

/** A day, month or year of the calendar, and nothing else. */
const PLAIN = /^-?\d{4}(-(0\d|1[012])(-\d\d)?)?$/;

/** Where only the last digits of a year, or months and days as a whole, are not said. */
const UNSAID = /^-?(\d+X+|\d+(-\d\d)?(-XX)+)[?~%]?$/;

/** A day, month or year in the reader's language; anything else as it stands. */
export function dayText(edtf: string, language: string, strings: Strings): string {
  return PLAIN.test(edtf) ? pointOf(edtf, unitOf(edtf), language, strings) : edtf;
}

/** The date in the reader's language; as the service words it where no language's own words say as much. */
export function dateText(occurred: Occurred, language: string, strings: Strings): string {
  const { edtf, earliest, latest, precision, display } = occurred;
  let text: string;
  const sides = edtf.split("/");
  // Of one day and of all days, of a set: what may be listed, and what lies between two.
  const members = /^[[{](.*)[\]}]$/.exec(edtf)?.[1]?.split(/,|\.\./);
  if (members) {
    const plain = members.filter((member) => PLAIN.test(member));
    const words = plain.map((member) => pointOf(member, unitOf(member), language, strings));
    const [span, all] = [edtf.includes(".."), edtf[0] === "{"];
    if (span ? members.length > 2 || all || words.length === 0 : words.length < members.length) return display;
    if (!span) text = new Intl.ListFormat(language, { type: all ? "conjunction" : "disjunction" }).format(words);
    else if (words[1]) text = filled(strings.between, words[0]!, words[1]);
    else text = filled(earliest === null ? strings.until : strings.since, words[0]!);
  } else if (/[XS]/.test(edtf) && !UNSAID.test(edtf)) {
    return display;
  } else if (sides.length === 2) {
    const [from, to] = sides as [string, string];
    if (earliest === null && latest === null) return display;
    if (earliest === null) text = filled(strings.until, pointOf(latest!, unitOf(to), language, strings));
    else if (latest === null) text = filled(strings.since, pointOf(earliest, unitOf(from), language, strings));
    else {
      const units = [unitOf(from), unitOf(to)] as const;
      text =
        units[0] === units[1]
          ? rangeOf(earliest, latest, units[0], language, strings)
          : `${pointOf(earliest, units[0], language, strings)} – ${pointOf(latest, units[1], language, strings)}`;
    }
  } else if (earliest === null || latest === null) {
    return display;
  } else if (UNITS.includes(precision as Unit)) {
    text = pointOf(earliest, precision as Unit, language, strings);
  } else {
    text = rangeOf(earliest, latest, precision === "season" ? "month" : "year", language, strings);
  }
  if (occurred.approximate) text = filled(strings.about, text);
  return occurred.uncertain ? filled(strings.perhaps, text) : text;
}

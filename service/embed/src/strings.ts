// The words of the interface in one language. English is in the core; every other language is a part of its own.

import type { Stance } from "./model.js";

/** A text in the forms that a language has for numbers. */
export type Forms = Partial<Record<Intl.LDMLPluralRule, string>> & { other: string };

export interface Strings {
  events: string;
  number: Forms;
  more: string;
  failed: string;
  retry: string;
  none: string;
  undated: string;
  claims: Forms;
  stances: Record<Stance, string>;
  standings: Record<string, string>;
  phases: Record<string, string>;
  all: string;
  actor: string;
  tag: string;
  standing: string;
  since: string;
  until: string;
  between: string;
  about: string;
  perhaps: string;
  ago: string;
  known: string;
  recorded: string;
  now: string;
  news: Forms;
  axis: string;
  zoomIn: string;
  zoomOut: string;
  added: string;
  removed: string;
  changed: string;
  before: string;
  after: string;
}

export const english: Strings = {
  events: "Events",
  number: { one: "{0} event", other: "{0} events" },
  more: "Show more events",
  failed: "The timeline cannot be loaded.",
  retry: "Try again",
  none: "There are no events here.",
  undated: "No date",
  claims: { one: "1 source says", other: "{0} sources say" },
  stances: {
    asserts: "Reported by {0}",
    confirms: "Confirmed by {0}",
    denies: "Denied by {0}",
    disputes: "Disputed by {0}",
    corrects: "Corrected by {0}",
    retracts: "Taken back by {0}",
    expects: "Expected by {0}",
    mentions: "Mentioned by {0}",
  },
  standings: {
    unsourced: "No source",
    mentioned: "Only mentioned",
    retracted: "Taken back",
    contested: "Contested",
    denied: "Denied",
    corrected: "Corrected",
    corroborated: "Corroborated",
    reported: "Reported",
  },
  phases: {
    expected: "Expected",
    hypothetical: "Hypothetical",
    cancelled: "Cancelled",
    not_happened: "Has not happened",
  },
  all: "All",
  actor: "Who",
  tag: "Topic",
  standing: "Standing",
  since: "since {0}",
  until: "until {0}",
  between: "between {0} and {1}",
  about: "about {0}",
  perhaps: "{0} (uncertain)",
  ago: "{0} years ago",
  known: "What was known",
  recorded: "What was recorded",
  now: "Now",
  news: { one: "1 change: show it", other: "{0} changes: show them" },
  axis: "Axis",
  zoomIn: "Closer",
  zoomOut: "Further away",
  added: "Added",
  removed: "Removed",
  changed: "Changed",
  before: "Before",
  after: "After",
};

/** Words with their names, which the built parts leave out: they have them in the order of the model. */
export function named<T extends object>(model: T, words: unknown): T {
  return Object.fromEntries(
    Object.entries(model).map(([name, each], place) => {
      const word = (words as unknown[])[place];
      return [name, Array.isArray(word) ? named(each as object, word) : word];
    }),
  ) as T;
}

/** Puts values into the places of a text: `{0}`, `{1}`. */
export function filled(text: string, ...values: (string | number)[]): string {
  return text.replace(/\{(\d)\}/g, (_, place: string) => String(values[Number(place)] ?? ""));
}

/** The form that the language has for a number, with the number in it. */
export function counted(forms: Forms, number: number, language: string): string {
  // Where the words are English for want of others, the language knows no form for one.
  const form = (number === 1 && forms.one) || (forms[new Intl.PluralRules(language).select(number)] ?? forms.other);
  return filled(form, new Intl.NumberFormat(language).format(number));
}

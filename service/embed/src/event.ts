// One event as an item of the list.

import { dateText } from "./dates.js";
import { h, linkTo } from "./dom.js";
import type { Claim, Included, TimelineEvent } from "./model.js";
import { counted, filled, type Strings } from "./strings.js";

/** What else than a colour tells standings apart. */
export const marks: Record<string, string> = {
  contested: "≠",
  denied: "✕",
  retracted: "↩",
  corrected: "✎",
  corroborated: "✓✓",
  reported: "✓",
};

export interface Manner {
  language: string;
  strings: Strings;
  heading: number;
}

export function actorName(slug: string, included: Included | null, language: string): string {
  const actor = included?.actors[slug];
  return actor ? (actor.names[language] ?? actor.names[language.split("-")[0]!] ?? actor.name) : slug;
}

export function eventItem(event: TimelineEvent, included: Included | null, manner: Manner): HTMLLIElement {
  const { strings, language, heading } = manner;
  const { standing, occurred } = event;
  const lang = event.language && event.language !== language ? event.language : null;
  const when = occurred ? dateText(occurred, language, strings) : strings.undated;
  const phase = strings.phases[event.phase];
  const state = strings.standings[standing.state] ?? standing.state;
  return h(
    "li",
    {
      class: "event",
      part: `event ${standing.state}`,
      id: `e${event.id}`,
      "data-id": event.id,
      "data-standing": standing.state,
      tabindex: "-1",
    },
    h("p", { class: "when" }, when, phase && ` · ${phase}`),
    h(`h${heading}` as "h3", { class: "title", lang, dir: "auto" }, event.title),
    event.summary && h("p", { part: "summary", lang, dir: "auto" }, event.summary),
    h(
      "p",
      { class: "state", part: "standing", "data-sign": marks[standing.state] ?? "·" },
      state,
    ),
    event.tags.length > 0 && h("ul", { class: "tags" }, ...event.tags.map((tag) => h("li", {}, `#${tag}`))),
    event.claims.length > 0 &&
      h(
        "details",
        { part: "claims" },
        h("summary", { tabindex: "-1" }, counted(strings.claims, new Set(event.claims.map((claim) => claim.source)).size, language)),
        h("ul", { class: "claims" }, ...event.claims.map((claim) => claimItem(claim, included, manner, lang))),
      ),
  );
}

function claimItem(claim: Claim, included: Included | null, manner: Manner, lang: string | null): HTMLLIElement {
  const { strings, language } = manner;
  const source = included?.sources[claim.source];
  const speakers = claim.speakers.map((slug) => actorName(slug, included, language));
  const publisher = source?.publisher ? actorName(source.publisher, included, language) : null;
  const who = speakers.length > 0 ? new Intl.ListFormat(language).format(speakers) : (publisher ?? source?.title ?? claim.source);
  return h(
    "li",
    { part: `claim ${claim.stance}`, "data-stance": claim.stance },
    filled(strings.stances[claim.stance], who),
    claim.quote && h("div", {}, h("q", { lang, dir: "auto" }, claim.quote)),
    h(
      "div",
      { class: "quiet" },
      linkTo(source?.url, source?.title ?? claim.source),
      claim.published && ` · ${claim.published}`,
    ),
  );
}

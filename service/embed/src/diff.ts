// The diff view: what was added, removed and changed between two instants or two accounts, marked as such.

import style from "./diff.css";
import type { Host } from "./element.js";
import type { Change, Included, TimelineEvent } from "./model.js";

interface Diff {
  summary: { added: number; removed: number; changed: number } | null;
  items: Change[];
  included: { base: Included; head: Included } | null;
  next: string | null;
}

const SIGNS = { added: "+", removed: "−", changed: "~" } as const;

export async function show(host: Host): Promise<void> {
  host.style(style);
  const { h } = host.kit;
  const { strings } = host.manner;
  const ol = h("ol", { class: "list", part: "diff" });
  const summary = h("p", { class: "quiet", part: "summary" });
  const more = h("button", { class: "more", hidden: true }, strings.more);
  let next: string | null = null;
  const read = async (address: URL | string): Promise<void> => {
    const page = (await host.reader.page(address, host.signal)) as unknown as Diff;
    if (page.summary) {
      const { added, removed, changed } = page.summary;
      summary.textContent = `${strings.added}: ${added} · ${strings.removed}: ${removed} · ${strings.changed}: ${changed}`;
    }
    ol.append(...page.items.map((item) => itemOf(item, page.included, host)));
    next = page.next;
    more.hidden = next === null;
  };
  more.addEventListener("click", () => {
    if (!next) return;
    // Once, however often it is pressed.
    more.disabled = true;
    void host.attempt(() => read(next!)).finally(() => (more.disabled = false));
  });
  await read(addressOf(host));
  if (ol.childElementCount === 0) ol.append(h("li", { class: "quiet" }, strings.none));
  host.body.replaceChildren(summary, ol, more);
}

/** The diff that `src` names, or that of the timeline with what `base` and `head` ask for, each as a query. */
function addressOf({ element, reader, wants }: Host): URL {
  if (reader.source.pathname.endsWith("/diff")) return reader.listing();
  const sides: Record<string, string[]> = {};
  for (const side of ["base", "head"]) {
    for (const [name, value] of new URLSearchParams(element.getAttribute(side) ?? "")) {
      (sides[`${side}_${name}`] ??= []).push(value);
    }
  }
  return reader.of("diff", { ...sides, limit: wants.limit, order: wants.order });
}

function itemOf(item: Change, included: Diff["included"], host: Host): HTMLElement {
  const { h, eventItem } = host.kit;
  const { strings } = host.manner;
  const event = item.event ?? item.after!;
  const li = eventItem(event, (item.op === "removed" ? included?.base : included?.head) ?? null, host.manner);
  li.dataset.op = item.op;
  li.tabIndex = 0;
  li.prepend(
    h("p", { class: "op", part: `op ${item.op}`, "data-sign": SIGNS[item.op] }, strings[item.op]),
  );
  if (item.op === "changed") li.append(differences(item, host));
  return li;
}

/** What a reader is told of the members that differ. */
function differences(item: Change, { kit, manner }: Host): HTMLElement {
  const { h } = kit;
  const { strings, language } = manner;
  const words = (event: TimelineEvent): Record<string, string | null> => ({
    title: event.title,
    summary: event.summary,
    occurred: event.occurred && kit.dateText(event.occurred, language, strings),
    standing: strings.standings[event.standing.state] ?? event.standing.state,
    phase: strings.phases[event.phase] ?? null,
    claims: kit.counted(strings.claims, new Set(event.claims.map((claim) => claim.source)).size, language),
    tags: event.tags.join(", "),
  });
  const [before, after] = [words(item.before!), words(item.after!)];
  const rows = (item.fields ?? [])
    .filter((field) => field in after && before[field] !== after[field])
    .map((field) =>
      h(
        "div",
        {},
        before[field] && h("del", {}, h("span", { class: "sr" }, `${strings.before}: `), before[field]),
        after[field] && h("ins", {}, h("span", { class: "sr" }, `${strings.after}: `), after[field]),
      ),
    );
  return h("div", { class: "differences" }, ...rows);
}

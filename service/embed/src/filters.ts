// Filters: what there is to choose from is what the service counts.

import type { Host } from "./element.js";

const NAMES = ["actor", "tag", "standing"] as const;

export async function show(host: Host): Promise<void> {
  const { h } = host.kit;
  const { strings, language } = host.manner;
  const chosen = (name: string): string => host.wants[name] ?? "";
  // A filter offers what there would be without itself.
  const facets = await Promise.all(NAMES.map((name) => host.reader.facets(name, host.signal)));
  const actors = await names(host);
  const number = new Intl.NumberFormat(language);
  const words = (name: string, value: string): string =>
    name === "actor" ? (actors[value] ?? value) : name === "standing" ? (strings.standings[value] ?? value) : value;
  NAMES.forEach((name, place) => {
    const values = facets[place]![name] ?? [];
    if (values.length < 2 && !chosen(name)) return;
    const select = h(
      "select",
      {
        part: "filter",
        "data-control": name,
        onchange: () => {
          host.announce(`${strings[name]}: ${select.selectedOptions[0]!.textContent}`);
          host.want(name, select.value || null);
        },
      },
      h("option", { value: "" }, strings.all),
      ...values.map(({ value, count }) =>
        h("option", { value, selected: value === chosen(name) }, `${words(name, value)} (${number.format(count)})`),
      ),
    );
    host.bar.append(h("label", {}, strings[name], select));
  });
}

/** Names of the actors that the events shown name. */
async function names(host: Host): Promise<Record<string, string>> {
  const page = await host.reader.page(host.reader.listing, host.signal);
  const slugs = Object.keys(page.included?.actors ?? {});
  return Object.fromEntries(slugs.map((slug) => [slug, host.kit.actorName(slug, page.included, host.manner.language)]));
}

// Filters: what there is to choose from is what the service counts.

import type { Host } from "./element.js";

const NAMES = ["actor", "tag", "standing"] as const;

export async function show(host: Host): Promise<void> {
  const { h } = host.kit;
  const { strings, language } = host.manner;
  const { searchParams } = host.reader.source;
  // A filter offers what there would be without itself.
  const facets = await Promise.all(NAMES.map((name) => host.reader.facets(name, host.signal)));
  const included = await host.reader.included(host.signal);
  const number = new Intl.NumberFormat(language);
  const words = (name: string, value: string): string =>
    name === "actor"
      ? host.kit.actorName(value, included, language)
      : name === "standing"
        ? (strings.standings[value] ?? value)
        : value;
  NAMES.forEach((name, place) => {
    // Readers only narrow: what the page asks for must be there too, or where any of several will do, they choose one.
    const own = searchParams.getAll(name);
    const match = `${name}_match`;
    const beside = name !== "standing" && (own.length === 1 || searchParams.get(match) === "all");
    const chosen = [host.wants[name] ?? []].flat().at(-1);
    const values = (facets[place]![name] ?? []).filter(
      ({ value }) => own.length === 0 || own.includes(value) !== beside,
    );
    if (values.length < 2 && !chosen) return;
    if (chosen && !values.some(({ value }) => value === chosen)) values.push({ value: chosen, count: 0 });
    const select = h(
      "select",
      {
        part: "filter",
        "data-control": name,
        onchange: () => {
          const { value } = select;
          host.announce(`${strings[name]}: ${select.selectedOptions[0]!.textContent}`);
          host.want({
            [name]: value ? [...(beside ? own : []), value] : undefined,
            [match]: value && beside ? "all" : undefined,
          });
        },
      },
      h("option", { value: "" }, strings.all),
      ...values.map(({ value, count }) =>
        h("option", { value, selected: value === chosen }, `${words(name, value)} (${number.format(count)})`),
      ),
    );
    host.bar.append(h("label", {}, strings[name], select));
  });
}

// The builder: what is chosen in the form is shown at once, as a timeline and as what a page needs to have it.

const form = document.querySelector("form")!;
const preview = document.querySelector<HTMLElement>("#preview")!;
const outputs = { element: document.querySelector("#as-element")!, frame: document.querySelector("#as-frame")! };
const { origin: service, script, integrity } = form.dataset as Record<string, string>;

function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

function attributesOf(data: FormData): [string, string][] {
  const given = (name: string): string => String(data.get(name) ?? "").trim();
  const slug = given("timeline");
  const query = new URLSearchParams();
  if (given("q")) query.set("q", given("q"));
  for (const name of ["from", "to"]) if (given(name)) query.set(name, given(name));
  const asked = query.size > 0 ? `?${query}` : "";
  const listing = slug ? `/v1/timelines/${encodeURIComponent(slug)}/events` : "/v1/events";
  const attributes: [string, string][] = [["src", `${service}${listing}${asked}`]];
  for (const name of ["view", "lang", "travel", "lanes"]) if (given(name)) attributes.push([name, given(name)]);
  for (const name of ["filters", "live"]) if (data.has(name)) attributes.push([name, ""]);
  return attributes;
}

function frameOf(data: FormData, title: string): string {
  const query = new URLSearchParams();
  for (const [name, value] of data) if (value && name !== "timeline" && name !== "height") query.set(name, String(value));
  const slug = String(data.get("timeline"));
  const height = Number(data.get("height")) || 600;
  const address = `${service}/embed/timelines/${encodeURIComponent(slug)}${query.size > 0 ? `?${query}` : ""}`;
  return `<iframe src="${escaped(address)}" title="${escaped(title)}" width="100%" height="${height}" frameborder="0"></iframe>`;
}

function show(): void {
  const data = new FormData(form);
  const attributes = attributesOf(data);
  const title = form.querySelector<HTMLSelectElement>("[name=timeline]")!.selectedOptions[0]?.textContent ?? "";
  const written = attributes.map(([name, value]) => (value ? ` ${name}="${escaped(value)}"` : ` ${name}`)).join("");
  outputs.element.textContent =
    `<script type="module" src="${service}/embed/${script}" integrity="${integrity}" crossorigin="anonymous"></` +
    `script>\n<event-timeline${written} style="display: block; height: 37.5rem"></event-timeline>`;
  outputs.frame.textContent = frameOf(data, title);
  const shown = document.createElement("event-timeline");
  for (const [name, value] of attributes) shown.setAttribute(name, value);
  preview.replaceChildren(shown);
}

for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy!)!.textContent ?? "");
    document.querySelector("#told")!.textContent = button.dataset.done!;
  });
}
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();

export {};

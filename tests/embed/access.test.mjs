// For every reader: axe finds nothing wrong and leaves nothing open, in every mode and view.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { test } from "node:test";
import { opened, ready, SERVICE } from "./stage.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGE = "/embed/timelines/kosovo";
const VIEWS = {
  list: "",
  axis: "?view=axis&filters=true&travel=both&lanes=kind",
  diff: "?view=diff&base=known_at%3D2025-02-19&head=known_at%3D2025-02-20",
};
const MODES = {
  light: {},
  dark: { colorScheme: "dark" },
  "reduced motion": { reducedMotion: "reduce" },
  "forced colours": { forcedColors: "active" },
  "320 pixels": { viewport: { width: 320, height: 800 } },
  "right to left": { lang: "ar" },
};

async function found(path, { lang, ...options }) {
  const asked = lang ? `${path}${path.includes("?") ? "&" : "?"}lang=${lang}` : path;
  const { page, close } = await opened(SERVICE + asked, { ...options, bypassCSP: true });
  if (path.startsWith(PAGE) || path === "/") await ready(page);
  await page.evaluate(() => {
    for (const each of document.querySelector("event-timeline")?.shadowRoot?.querySelectorAll("details") ?? []) each.open = true;
  });
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations", "incomplete"] }));
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await close();
  const told = (list) => list.map((each) => `${each.id}: ${each.nodes.map((node) => `${node.target} ${node.any?.[0]?.message ?? ""}`).slice(0, 3)}`);
  return { violations: told(result.violations), incomplete: told(result.incomplete), wide };
}

for (const [view, query] of Object.entries(VIEWS)) {
  for (const [mode, options] of Object.entries(MODES)) {
    test(`the ${view}, ${mode}`, async () => {
      assert.deepEqual(await found(PAGE + query, options), { violations: [], incomplete: [], wide: 0 });
    });
  }
}

for (const path of ["/", "/embed"]) {
  for (const mode of ["light", "dark", "320 pixels"]) {
    test(`the page ${path}, ${mode}`, async () => {
      assert.deepEqual(await found(path, MODES[mode]), { violations: [], incomplete: [], wide: 0 });
    });
  }
}

test("text may be twice as large", async () => {
  const { page, close } = await opened(`${SERVICE}${PAGE}`, { bypassCSP: true, viewport: { width: 640, height: 800 } });
  await ready(page);
  await page.addStyleTag({ content: "html { font-size: 200% }" });
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), 0);
  await close();
});

test("the accessibility tree tells of a list of headed events with their claims", async () => {
  const { page, close } = await opened(`${SERVICE}${PAGE}`);
  await ready(page);
  const tree = await page.locator("event-timeline").ariaSnapshot();
  assert.match(tree, /- list "Events":/);
  assert.match(tree, /- heading "KFOR takes up its work" \[level=2\]/);
  assert.match(tree, /3 sources say/);
  await close();
});

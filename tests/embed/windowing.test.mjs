// Many events: read on as they are scrolled to, with no more of them in the page than a few pages' worth.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hosted, opened, ready } from "./stage.mjs";

const SERVICE = process.env.WRITABLE;
const NUMBER = 430;
const tag = `many-${Date.now()}`;
const rows = Array.from({ length: NUMBER }, (_, place) => ({
  title: `Event ${place}`,
  occurred: String(1500 + place),
  tags: [tag],
}));
const answer = await fetch(`${SERVICE}/v1/events/batch?collection=main`, {
  method: "POST",
  headers: { Authorization: `Bearer ${process.env.KEY}`, "Content-Type": "application/json" },
  body: JSON.stringify(rows),
});
assert.equal(answer.status, 200, await answer.text());
const script = `<script type="module" src="${SERVICE}/embed/event-timeline.js" crossorigin></script>`;
const csp = `default-src 'none'; script-src ${SERVICE}/embed/; connect-src ${SERVICE}/v1/; style-src 'unsafe-inline'`;

for (const [name, attributes] of [
  ["within its own room", 'style="display: block; height: 400px"'],
  ["in the page", 'height="auto"'],
]) {
  test(`events are read on as they are scrolled to, ${name}`, async () => {
    const body = `<event-timeline src="${SERVICE}/v1/events?tag=${tag}" ${attributes}></event-timeline>${script}`;
    const { page, complaints, close } = await opened(hosted(body, { csp }));
    await ready(page);
    const state = () =>
      page.evaluate(() => {
        const root = document.querySelector("event-timeline").shadowRoot;
        const titles = [...root.querySelectorAll(".title")].map((title) => title.textContent);
        return { titles, elements: root.querySelectorAll("*").length, more: !root.querySelector(".more").hidden };
      });
    const seen = new Set();
    for (let step = 0; step < 400; step++) {
      const { titles, elements, more } = await state();
      titles.forEach((title) => seen.add(title));
      assert.ok(elements < 5_000, `${elements} elements`);
      assert.ok(titles.length <= 250, `${titles.length} events`);
      if (seen.size === NUMBER && !more) break;
      await page.evaluate(() => {
        const timeline = document.querySelector("event-timeline");
        const scroller = timeline.getAttribute("height") === "auto" ? document.scrollingElement : timeline;
        scroller.scrollTop += 1_200;
      });
      await page.waitForTimeout(30);
    }
    assert.deepEqual([...seen], rows.map((row) => row.title));
    const before = await page.evaluate(() => {
      const timeline = document.querySelector("event-timeline");
      (timeline.getAttribute("height") === "auto" ? document.scrollingElement : timeline).scrollTop = 0;
    });
    assert.equal(before, undefined);
    await page.waitForFunction(() => document.querySelector("event-timeline").shadowRoot.querySelector(".title")?.textContent === "Event 0");
    assert.deepEqual(complaints, []);
    await close();
  });
}

test("what is too much to be drawn is counted on the axis, and opens by choosing", async () => {
  const body = `<event-timeline view="axis" src="${SERVICE}/v1/events?tag=${tag}&tag=none" height="auto"></event-timeline>${script}`;
  const { page, complaints, close } = await opened(hosted(body, { csp }));
  await ready(page);
  const drawn = await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelectorAll(".mark").length);
  assert.ok(drawn > 100);
  assert.deepEqual(complaints, []);
  await close();
});

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
async function write(events) {
  const answer = await fetch(`${SERVICE}/v1/events/batch?collection=main`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify(events),
  });
  assert.equal(answer.status, 200, await answer.text());
}
await write(rows);
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
  const crowded = `crowded-${Date.now()}`;
  const events = Array.from({ length: 700 }, (_, place) => ({ title: `Event ${place}`, occurred: String(1300 + place), tags: [crowded] }));
  await write(events);
  const body = `<event-timeline view="axis" src="${SERVICE}/v1/events?tag=${crowded}" height="auto"></event-timeline>${script}`;
  const { page, complaints, close } = await opened(hosted(body, { csp }));
  await ready(page);
  const counts = () =>
    page.evaluate(() => [...document.querySelector("event-timeline").shadowRoot.querySelectorAll("[part=count] button")].map((each) => each.getAttribute("aria-label")));
  const marks = () => page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelectorAll(".mark").length);
  const told = await counts();
  assert.equal(await marks(), 0);
  const sum = told.map((words) => Number(/: ([\d,]+) /.exec(words)[1].replace(",", ""))).reduce((one, other) => one + other, 0);
  assert.equal(sum, events.length);
  await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector("[part=count] button").click());
  await page.waitForFunction(() => document.querySelector("event-timeline").shadowRoot.querySelector(".mark"));
  assert.ok((await marks()) < 500);
  assert.deepEqual(complaints, []);
  await close();
});

test("news is told without moving what is being read", async () => {
  const tagged = `live-${Date.now()}`;
  await write(Array.from({ length: 30 }, (_, place) => ({ title: `Event ${place}`, occurred: String(1900 + place), tags: [tagged] })));
  const body = `<event-timeline live="5" src="${SERVICE}/v1/events?tag=${tagged}" style="display: block; height: 400px"></event-timeline>${script}`;
  const { page, asked, complaints, close } = await opened(hosted(body, { csp }));
  await ready(page);
  const state = () =>
    page.evaluate(() => {
      const timeline = document.querySelector("event-timeline");
      const seen = timeline.getBoundingClientRect();
      const titles = [...timeline.shadowRoot.querySelectorAll(".title")];
      const first = titles.find((title) => title.getBoundingClientRect().top >= seen.top + 60);
      return { first: first.textContent, top: first.getBoundingClientRect().top, titles: titles.length };
    });
  await page.evaluate(() => (document.querySelector("event-timeline").scrollTop = 900));
  await page.waitForTimeout(200);
  const before = await state();
  const quiet = asked.length;
  await page.waitForTimeout(6_000);
  assert.equal(await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector(".news")), null);
  assert.ok(asked.length > quiet, "it has asked");
  await write([{ title: "The news", occurred: "1899", tags: [tagged] }]);
  await page.waitForFunction(() => document.querySelector("event-timeline").shadowRoot.querySelector(".news"));
  assert.deepEqual(await state(), before);
  await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector(".news").click());
  await page.waitForFunction(() => document.querySelector("event-timeline").shadowRoot.querySelector(".title")?.textContent === "The news");
  assert.deepEqual(complaints, []);
  await close();
});

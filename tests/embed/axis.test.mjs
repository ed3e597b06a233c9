// The axis where time is long or there is little in sight, and dates told no finer than they are.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hosted, opened, ready, sent, until, within, WRITABLE, WRITTEN } from "./stage.mjs";

let made = 0;
/** A page that shows events, and nothing else of the service. */
async function shown(events, attributes = "", more = "") {
  const tag = `axis-${Date.now()}-${made++}`;
  await sent("POST", "/v1/events/batch?collection=main", events.map((event) => ({ title: event.occurred, ...event, tags: [tag] })));
  const body = `<event-timeline src="${WRITABLE}/v1/events?tag=${tag}${more}" ${attributes}></event-timeline>${WRITTEN.script}`;
  const found = await opened(hosted(body, WRITTEN));
  await ready(found.page);
  return found;
}
const focused = (page) => within(page, "root.activeElement?.dataset.number ?? root.activeElement?.className ?? null");
const focus = (page) => within(page, `root.querySelector('.marks [tabindex="0"]').focus()`);

test("deep time and seconds stand on one axis, and each is come near to", async () => {
  const { page, complaints, close } = await shown(
    [{ occurred: "Y-66000000" }, { occurred: "2025-02-19T10:00:00Z" }, { occurred: "2025-02-19T10:00:30Z" }],
    'view="axis"',
  );
  await focus(page);
  const ticks = () => within(page, '[...root.querySelectorAll(".tick")].map((tick) => tick.textContent)');
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press("+");
    const found = await ticks();
    assert.equal(new Set(found).size, found.length, `${step}: ${found}`);
  }
  await page.keyboard.press("0");
  await page.keyboard.press("Home");
  for (let step = 0; step < 40; step++) await page.keyboard.press("+");
  assert.equal(new Set(await ticks()).size, (await ticks()).length, String(await ticks()));
  await page.keyboard.press("End");
  for (let step = 0; step < 60; step++) {
    await page.keyboard.press("+");
    // What was come to stays in sight.
    if (!(await within(page, 'root.querySelector(".mark")'))) await page.keyboard.press("End");
  }
  assert.match((await ticks()).join(), /AM|:/);
  assert.deepEqual(complaints, []);
  await close();
});

test("keys lead on where no event is in sight, and past an era", async () => {
  const { page, complaints, close } = await shown(
    [{ occurred: "1900" }, { occurred: "1910/1940", kind: "era" }, { occurred: "1950" }, { occurred: "2020" }],
    'view="axis"',
  );
  await focus(page);
  const on = [];
  for (let step = 0; step < 3; step++) {
    await page.keyboard.press("ArrowRight");
    on.push(await focused(page));
  }
  assert.deepEqual(on, ["1", "2", "3"]);
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("Enter");
  assert.match(await within(page, 'root.querySelector("[part=detail]").innerText'), /1910/);
  await page.keyboard.press("0");
  for (let step = 0; step < 5; step++) await page.keyboard.press("+");
  assert.equal(await within(page, 'root.querySelector(".mark")'), null);
  await page.keyboard.press("End");
  assert.equal(await focused(page), "3");
  assert.deepEqual(complaints, []);
  await close();
});

test("what is answered late does not take the place of what is shown", async () => {
  const events = Array.from({ length: 620 }, (_, place) => ({ title: `Event ${place}`, occurred: String(1400 + place) }));
  const { page, complaints, close } = await shown(events, 'view="axis"');
  await focus(page);
  for (let step = 0; step < 3; step++) await page.keyboard.press("+");
  await until(page, 'root.querySelector(".mark")');
  let late = 0;
  await page.route(/histogram/, async (route) => {
    if (late++ === 0) await new Promise((done) => setTimeout(done, 1_500));
    await route.continue();
  });
  await within(page, "root.querySelector('.axis').focus()");
  await page.keyboard.press("PageUp");
  await page.waitForTimeout(400);
  for (let step = 0; step < 4; step++) await page.keyboard.press("PageDown");
  await page.waitForTimeout(3_000);
  const [ticks, marks] = await within(page, '[[...root.querySelectorAll(".tick")].map((tick) => Number(tick.textContent)), root.querySelectorAll(".mark").length]');
  assert.ok(late > 1);
  assert.ok(marks > 10, `${marks} marks under ${ticks}`);
  assert.deepEqual(complaints, []);
  await close();
});

test("the name of an era is in sight as long as the era is", async () => {
  const { page, complaints, close } = await shown([{ occurred: "1900-01-01" }, { occurred: "2020-06-15" }, { occurred: "1900/2025", kind: "era" }], 'view="axis"');
  await focus(page);
  await page.keyboard.press("End");
  for (let step = 0; step < 18; step++) {
    await page.keyboard.press("+");
    const [left, right, axis, on] = await within(page, `(() => {
      const era = root.querySelector(".era button").getBoundingClientRect(), axis = root.querySelector(".axis").getBoundingClientRect();
      return [era.left, era.right, axis.left, root.activeElement.closest(".era") === null];
    })()`);
    assert.ok(left >= axis - 2 && right > left && left < axis + 900, `${step}: ${left} to ${right}`);
    assert.ok(on, "the focus is on a mark or the axis");
  }
  assert.deepEqual(complaints, []);
  await close();
});

test("to the right is to the later, in whatever order events are listed", async () => {
  const { page, close } = await shown([{ occurred: "1900" }, { occurred: "1950" }, { occurred: "2000" }], 'view="axis" order="desc"');
  await focus(page);
  const left = () => within(page, "root.activeElement.getBoundingClientRect().left");
  await page.keyboard.press("Home");
  const first = await left();
  await page.keyboard.press("ArrowRight");
  assert.ok((await left()) > first);
  await close();
});

test("what has no date is counted beside the axis", async () => {
  const some = await shown([{ occurred: "1900" }, { title: "Undated" }], 'view="axis"');
  assert.equal(await within(some.page, 'root.querySelector("[part=undated]").textContent'), "No date: 1 event");
  assert.equal(await within(some.page, 'root.querySelectorAll(".mark").length'), 1);
  await some.close();
  const none = await shown([{ title: "Undated" }, { title: "Undated too" }], 'view="axis"');
  assert.equal(await within(none.page, 'root.querySelector("[part=undated]").textContent'), "No date: 2 events");
  await none.close();
});

test("the Tab key still comes to an event when the first ones are far away", async () => {
  const events = Array.from({ length: 400 }, (_, place) => ({ occurred: String(1500 + place) }));
  const { page, close } = await shown(events, 'style="display: block; height: 400px" limit="50"');
  for (let step = 0; step < 60; step++) {
    await within(page, "timeline.scrollBy(0, 900)");
    await page.waitForTimeout(40);
    assert.equal(await within(page, `root.querySelectorAll('[data-id][tabindex="0"]').length`), 1);
  }
  assert.notEqual(await within(page, 'root.querySelector(".title").textContent'), "1500");
  await close();
});

test("a date is told as it is stated, no finer", async () => {
  const dates = {
    1999: "1999",
    "1999-06": "June 1999",
    "1999-06-11": "June 11, 1999",
    "199X": "1990 – 1999",
    "1999~": "about 1999",
    "1999?": "1999 (uncertain)",
    "1999/..": "since 1999",
    "../1999-06": "until June 1999",
    "1999-06/2000": "June 1999 – 2000",
    "[..1984]": "until 1984",
    "[1984-05..]": "since May 1984",
    "[2025-02-20..2025-02-23]": "between February 20, 2025 and February 23, 2025",
    "[1960,1961-12]": "1960 or December 1961",
    "{1960,1961-12}": "1960 and December 1961",
    "[1984,1986..1988]": null,
    "[2004-21,2004-22]": null,
    "156X-12": null,
    "XXXX-12-25": null,
    "1560-XX-25": null,
    "156X/1580": null,
    "1999-1X": null,
    "1999-12-1X": null,
    "1X99": null,
    "12X5": null,
    "1950S2": null,
    "19XX": "1900 – 1999",
    "1999-12-XX": "December 1999",
    "-0043-03-15": "March 15, 44 BC",
    "Y-13800000000": "13.8 billion years ago",
    "Y-66000000": "66 million years ago",
  };
  const { page, complaints, close } = await shown(Object.keys(dates).map((occurred) => ({ occurred })), 'limit="100"');
  const told = Object.fromEntries(
    await within(page, '[...root.querySelectorAll("[data-id]")].map((item) => [item.querySelector(".title").textContent, item.querySelector(".when").textContent])'),
  );
  const answer = await (await fetch(await within(page, "timeline.src + '&limit=100'"))).json();
  for (const { title, occurred } of answer.items) {
    // Where no language's own words say as much, it is the service's that do.
    assert.equal(told[title].replace(/[\u2009\u202f\u00a0]/g, " "), dates[title] ?? occurred.display, title);
  }
  assert.equal(answer.items.length, Object.keys(dates).length);
  assert.deepEqual(complaints, []);
  await close();
});

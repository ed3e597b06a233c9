// Generated timelines, exported, and shown by the real TimelineJS: no error, as many slides, the same headlines in the
// same order. DATELINE_EXAMPLES_EMBED says how many timelines.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hosted, opened } from "./stage.mjs";

const SERVICE = process.env.WRITABLE;
const NUMBER = Number(process.env.DATELINE_EXAMPLES_EMBED ?? 8);
const SEED = Number(process.env.DATELINE_SEED_EMBED ?? 20250219);

function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const two = (number) => String(number).padStart(2, "0");
const four = (number) => (number < 0 ? "-" : "") + String(Math.abs(number)).padStart(4, "0");

function dateOf(random) {
  const upTo = (most) => Math.floor(random() * most);
  const year = random() < 0.15 ? upTo(3_000) - 3_000 : 1_900 + upTo(130);
  const [month, day] = [two(1 + upTo(12)), two(1 + upTo(28))];
  const later = year + 1 + upTo(20);
  const time = `T${two(upTo(24))}:${two(upTo(60))}:${two(upTo(60))}`;
  const kinds = [
    () => four(year),
    () => `${four(year)}-${month}`,
    () => `${four(year)}-${month}-${day}`,
    () => `${1_900 + upTo(125)}-${month}-${day}${time}Z`,
    () => `${1_900 + upTo(125)}-${month}-${day}T00:00:00+02:00`,
    () => `${four(year)}~`,
    () => `${four(year)}-${month}?`,
    () => `${four(year)}/${four(later)}`,
    () => `${four(year)}-${month}/${four(later)}-${month}-${day}`,
    () => `${four(year)}/${four(year)}-06`,
    () => `${four(year)}/..`,
    () => `${four(year)}/`,
    () => `../${four(year)}`,
    () => `/${four(year)}`,
    () => "19XX",
    () => "198X",
    () => `${1_900 + upTo(125)}-2${1 + upTo(4)}`,
    () => `[${1_900 + upTo(50)}..${1_960 + upTo(50)}]`,
    () => `{${1_900 + upTo(50)},${1_960 + upTo(50)}}`,
    () => `Y-${1 + upTo(13)}${"0".repeat(6 + upTo(3))}`,
    () => `Y${10_000 + upTo(900_000)}`,
    () => "0000",
    () => null,
  ];
  // Deep time is on few timelines, since it takes the days from all others there.
  const kind = upTo(random() < 0.1 ? kinds.length : kinds.length - 4);
  return kinds[random() < 0.05 ? kinds.length - 1 : kind]();
}

const WORDS = ["<b>bold</b>", "<script>alert(1)</script>", "“quoted”", "R&D", "a < b", "Приштина", "עברית", "😀", "it's", 'a "b"', "<img src=x onerror=alert(1)>", "plain"];

async function made(number) {
  const random = randomOf(SEED + number);
  const tag = `t-${SEED}-${number}-${Date.now()}`;
  const rows = Array.from({ length: 1 + Math.floor(random() * 25) }, (_, place) => {
    const date = dateOf(random);
    return {
      title: `${WORDS[Math.floor(random() * WORDS.length)]} ${number}.${place}`,
      summary: WORDS[Math.floor(random() * WORDS.length)],
      tags: [tag],
      kind: random() < 0.3 ? "meeting" : null,
      ...(date && { occurred: date }),
    };
  });
  const answer = await fetch(`${SERVICE}/v1/events/batch?collection=main`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify(rows),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  return `${SERVICE}/v1/events/export/timelinejs?tag=${tag}`;
}

const page = (address) =>
  `<link rel="stylesheet" href="/modules/@knight-lab/timelinejs/dist/css/timeline.css">
   <script src="/modules/@knight-lab/timelinejs/dist/js/timeline.js"></script>
   <div id="timeline" style="width: 900px; height: 600px"></div>
   <script>window.timeline = new TL.Timeline("timeline", ${JSON.stringify(address)}, { font: null, hash_bookmark: false });</script>`;
const plain = (html) => html.replace(/<[^>]*>/g, "").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&quot;/g, '"').replace(/&#x27;/g, "'").replace(/&amp;/g, "&");

for (let number = 0; number < NUMBER; number++) {
  test(`timeline ${number}`, async () => {
    const address = await made(number);
    const file = await (await fetch(address)).json();
    if (file.events.length === 0) return;
    const { page: shown, close } = await opened("about:blank");
    const errors = [];
    shown.on("pageerror", (error) => errors.push(error.message));
    await shown.route((url) => !["127.0.0.1"].includes(url.hostname), (route) => route.abort());
    await shown.goto(hosted(page(address), { csp: "" }));
    await shown.waitForFunction((count) => document.querySelectorAll(".tl-slide").length >= count, file.events.length + 1);
    const found = await shown.evaluate(() => ({
      slides: [...document.querySelectorAll(".tl-slide:not(.tl-slide-titleslide)")].map((slide) => slide.querySelector(".tl-headline").textContent),
      ids: window.timeline.config.events.map((event) => event.unique_id),
      errors: [...document.querySelectorAll(".tl-message-error, .tl-message-full")].map((each) => each.textContent.trim()).filter((text) => /error/i.test(text)),
    }));
    assert.deepEqual(found.ids, file.events.map((event) => event.unique_id));
    assert.deepEqual(found.slides.map((text) => text.trim()), file.events.map((event) => plain(event.text.headline).trim()));
    assert.deepEqual([errors, found.errors], [[], []]);
    await close();
  });
}

test("a kind that looks like markup, and an address that asks by key", async () => {
  const tag = `k-${SEED}-${Date.now()}`;
  const kinds = ["a<b", "<img src=x onerror=\"window.broken = true\">", "&lt;img src=x onerror=\"window.broken = true\"&gt;"];
  const rows = kinds.map((kind, place) => ({ key: `${tag}-${place}`, title: `Of a kind ${place}`, tags: [tag], occurred: `199${place}`, kind }));
  const answer = await fetch(`${SERVICE}/v1/events/batch?collection=main`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify(rows),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  const keys = rows.map(({ key }) => `%6Bey=${key}`).join("&");
  const { page: shown, close } = await opened("about:blank");
  await shown.route((url) => !["127.0.0.1"].includes(url.hostname), (route) => route.abort());
  await shown.goto(hosted(page(`${SERVICE}/v1/events/export/timelinejs?tag=${tag}&${keys}`), { csp: "" }));
  await shown.waitForFunction(() => document.querySelectorAll(".tl-timegroup-message").length >= 3);
  const found = await shown.evaluate(() => ({
    groups: [...document.querySelectorAll(".tl-timegroup-message")].map((each) => each.textContent),
    broken: window.broken ?? false,
  }));
  assert.deepEqual(found, { groups: kinds, broken: false });
  await close();
});

test("days beside deep time are told, and a file without events is an error", async () => {
  const tag = `d-${SEED}-${Date.now()}`;
  const rows = [["Y-13800000000", "Deep"], ["2025-02-19", "Day"]].map(([occurred, title]) => ({ title, occurred, tags: [tag] }));
  const answer = await fetch(`${SERVICE}/v1/events/batch?collection=main`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify(rows),
  });
  assert.equal(answer.status, 200, await answer.clone().text());
  const show = async (address, selector, wanted) => {
    const { page: shown, close } = await opened("about:blank");
    await shown.route((url) => !["127.0.0.1"].includes(url.hostname), (route) => route.abort());
    await shown.goto(hosted(page(address), { csp: "" }));
    await shown.waitForFunction(
      ([selector, wanted]) => [...document.querySelectorAll(selector)].some((each) => each.textContent.includes(wanted)),
      [selector, wanted],
    );
    await close();
  };
  const path = `${SERVICE}/v1/events/export/timelinejs?tag=${tag}`;
  await show(path, ".tl-headline-date", "19 February 2025");
  await show(`${path}&from=3000`, ".tl-message-full", "has no events");
});

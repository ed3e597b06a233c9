// What a reader chooses within what the page has chosen: filters narrow, sliders tell the instant that is shown, and what
// comes from the page's own address is not lost, nor in the way.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hosted, listed, opened, ready, SCRIPT, sent, SERVICE, TIMELINE, until, within, WRITABLE, WRITTEN } from "./stage.mjs";

const element = (attributes = "", path = TIMELINE, service = SERVICE) =>
  `<event-timeline src="${service}${path}" ${attributes}></event-timeline>`;
const written = (events) => sent("POST", "/v1/events/batch?collection=main", events);
const ids = (page) => within(page, '[...root.querySelectorAll("[data-id]")].map((item) => item.dataset.id)');
/** Chooses in a control, and waits until what was chosen is shown. */
async function choose(page, control, value) {
  await page.evaluate(
    ([name, chosen]) => {
      const timeline = document.querySelector("event-timeline");
      globalThis.shown = new Promise((done) => timeline.addEventListener("ready", done, { once: true }));
      const found = timeline.shadowRoot.querySelector(`[data-control="${name}"]`);
      found.value = chosen;
      found.dispatchEvent(new Event("change"));
    },
    [control, value],
  );
  await page.evaluate(() => globalThis.shown);
}

test("a filter narrows what the page asks for, and gives it back", async () => {
  for (const [asked, control, value, wanted] of [
    ["actor=kfor", "actor", "nato", "actor=kfor&actor=nato&actor_match=all"],
    ["actor=kfor&actor=nato", "actor", "nato", "actor=nato"],
    ["tag=nato", "standing", "reported", "tag=nato&standing=reported"],
  ]) {
    const { page, complaints, close } = await opened(hosted(element("filters", `${TIMELINE}?${asked}`) + SCRIPT));
    await ready(page);
    const whole = await listed(`${TIMELINE}?${asked}`);
    assert.deepEqual(await ids(page), whole);
    const there = await within(page, `[...root.querySelectorAll('[data-control="${control}"] option')].map((option) => option.value)`);
    if (there.includes(value)) {
      await choose(page, control, value);
      assert.deepEqual(await ids(page), await listed(`${TIMELINE}?${wanted}`), asked);
      await choose(page, control, "");
      assert.deepEqual(await ids(page), whole, asked);
    }
    const own = new URLSearchParams(asked).getAll("actor");
    const actors = await within(page, `[...root.querySelectorAll('[data-control="actor"] option')].map((option) => option.value).filter(Boolean)`);
    // The only actor asked for is no choice, and of several there are no others.
    if (own.length === 1) assert.ok(!actors.includes(own[0]));
    if (own.length > 1) assert.ok(actors.every((actor) => own.includes(actor)), String(actors));
    assert.deepEqual(complaints, []);
    await close();
  }
});

test("a filter and a lens leave a later page of the listing, which is one of that listing alone", async () => {
  const first = await (await fetch(`${SERVICE}${TIMELINE}?limit=7`)).json();
  const second = new URL(first.next, SERVICE);
  const { page, complaints, close } = await opened(hosted(element("filters", second.pathname + second.search) + SCRIPT));
  await ready(page);
  assert.notDeepEqual((await ids(page))[0], first.items[0].id);
  await choose(page, "standing", "contested");
  assert.deepEqual(await ids(page), (await listed(`${TIMELINE}?standing=contested`)).slice(0, 7));
  assert.deepEqual(complaints, []);
  await close();
});

test("the slider tells the instant that is shown, wherever it was said, and leads on from there", async () => {
  const slider = (page) => within(page, '({ at: root.querySelector("[type=range]").valueAsNumber, said: root.querySelector("output").textContent })');
  const stops = Number(await (async () => {
    const { page, close } = await opened(hosted(element('travel="known-at"') + SCRIPT));
    await ready(page);
    const { at, said } = await slider(page);
    assert.equal(said, "Now");
    await close();
    return at;
  })());
  for (const [attributes, path] of [
    ['travel="known-at" known-at="2000"', TIMELINE],
    ['travel="known-at"', `${TIMELINE}?known_at=2000`],
  ]) {
    const { page, complaints, close } = await opened(hosted(element(attributes, path) + SCRIPT));
    await ready(page);
    assert.deepEqual(await ids(page), await listed(`${TIMELINE}?known_at=2000`));
    const { at, said } = await slider(page);
    assert.equal(said, "2000");
    assert.ok(at < stops, `${at} of ${stops}`);
    await choose(page, "known-at", String(stops));
    assert.deepEqual(await ids(page), await listed());
    assert.equal((await slider(page)).said, "Now");
    // Each stop shows what it says, and the last before an instant is the one that stands for it.
    await page.evaluate(() => document.querySelector("event-timeline").setAttribute("known-at", "2025-02-15"));
    await until(page, 'root.querySelector("output")?.textContent === "February 15, 2025"');
    const stop = (await slider(page)).at;
    await choose(page, "known-at", String(stop));
    assert.ok((await page.getAttribute("event-timeline", "known-at")) <= "2025-02-15");
    assert.deepEqual(await ids(page), await listed(`${TIMELINE}?known_at=2025-02-15`));
    assert.deepEqual(complaints, []);
    await close();
  }
});

test("a timeline's own lens is told by the slider, and left behind by it", async () => {
  const slug = `seen-${Date.now()}`;
  await written([1990, 2010].map((year) => ({
    key: `${slug}-${year}`,
    title: `Event ${year}`,
    occurred: String(year),
    tags: [slug],
    claims: [{ source: { slug: `${slug}-${year}`, title: "A paper", type: "article" }, published: `${year}-05-05` }],
  })));
  await sent("POST", "/v1/timelines", { slug, title: "Seen in 2000", selection: { tag: [slug], known_at: "2000" } });
  const body = element('travel="known-at"', `/v1/timelines/${slug}/events`, WRITABLE) + WRITTEN.script;
  const { page, complaints, close } = await opened(hosted(body, WRITTEN));
  await ready(page);
  assert.equal((await ids(page)).length, 1);
  assert.equal(await within(page, 'root.querySelector("output").textContent'), "2000");
  const last = await within(page, 'root.querySelector("[type=range]").max');
  await choose(page, "known-at", last);
  assert.equal((await ids(page)).length, 2);
  assert.equal(await within(page, 'root.querySelector("output").textContent'), "Now");
  assert.deepEqual(complaints, []);
  await close();
});

test("what is recorded today is no stop of its own, for the day is not over", async () => {
  const tag = `today-${Date.now()}`;
  await written([{ title: "Today", occurred: "2001", tags: [tag] }]);
  const body = element('travel="as-of"', `/v1/events?tag=${tag}`, WRITABLE) + WRITTEN.script;
  const { page, complaints, close } = await opened(hosted(body, WRITTEN));
  await ready(page);
  assert.equal(await within(page, 'root.querySelector("[type=range]")'), null);
  const counted = await (await fetch(`${WRITABLE}/v1/events/histogram?on=recorded&tag=${tag}`)).json();
  // As if something had been recorded the day before, too.
  const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
  const today = new Date().toISOString().slice(0, 10);
  const bucket = (date) => ({ start: date, end: date, count: 1, certain: 1 });
  await page.route(/on=recorded/, (route) =>
    route.fulfill({ json: { ...counted, interval: "day", buckets: [bucket(day), bucket(today)] }, headers: { "Access-Control-Allow-Origin": "*" } }),
  );
  await page.evaluate(() => document.querySelector("event-timeline").setAttribute("limit", "10"));
  await until(page, 'root.querySelector("[type=range]")');
  assert.deepEqual(await within(page, '({ max: root.querySelector("[type=range]").max, at: root.querySelector("[type=range]").value })'), { max: "1", at: "1" });
  await choose(page, "as-of", "0");
  assert.equal(await page.getAttribute("event-timeline", "as-of"), `${day}T23:59:59Z`);
  assert.deepEqual(await ids(page), []);
  await choose(page, "as-of", "1");
  assert.equal((await ids(page)).length, 1);
  assert.deepEqual(complaints, []);
  await close();
});

test("the slider of what was recorded leads from any instant to now", async () => {
  const tag = `back-${Date.now()}`;
  await written([{ title: "Today", occurred: "2001", tags: [tag] }]);
  const then = new Date(Date.now() - 3 * 86_400_000).toISOString();
  for (const [attributes, path] of [
    ['travel="as-of"', `/v1/events?tag=${tag}&as_of=${then}`],
    [`travel="as-of" as-of="2020-01-01T00:00:00Z"`, `/v1/events?tag=${tag}`],
  ]) {
    const { page, complaints, close } = await opened(hosted(element(attributes, path, WRITABLE) + WRITTEN.script, WRITTEN));
    await ready(page);
    assert.deepEqual(await ids(page), []);
    assert.notEqual(await within(page, 'root.querySelector("output").textContent'), "Now");
    await choose(page, "as-of", await within(page, 'root.querySelector("[type=range]").max'));
    const own = path.includes("as_of");
    // Where all was recorded today and nobody asks for a day before, there is no way to go.
    assert.equal(await within(page, 'root.querySelector("output")?.textContent'), own ? "Now" : undefined);
    assert.equal((await ids(page)).length, own ? 0 : 1, "of what was recorded a minute ago at most");
    assert.deepEqual(complaints, []);
    await close();
  }
  const numbered = await opened(hosted(element('travel="both"', `/v1/events?tag=${tag}&revision=1`, WRITABLE) + WRITTEN.script, WRITTEN));
  await ready(numbered.page);
  assert.equal(await within(numbered.page, 'root.querySelector("[type=range]")'), null);
  await numbered.close();
});

test("what is published in years to come is a stop like any other", async () => {
  const tag = `ahead-${Date.now()}`;
  const days = ["2010-01-05", "2128-05-05", "2131-01-01"];
  await written(days.map((published, place) => ({
    key: `${tag}-${place}`,
    title: published,
    occurred: "2001",
    tags: [tag],
    claims: [{ source: { slug: `${tag}-${place}`, title: "A paper", type: "article" }, published }],
  })));
  const { page, complaints, close } = await opened(hosted(element('travel="known-at"', `/v1/events?tag=${tag}`, WRITABLE) + WRITTEN.script, WRITTEN));
  await ready(page);
  for (const [place, said, number] of [["0", "January 5, 2010", 1], ["1", "May 5, 2128", 2], ["3", "Now", 3]]) {
    await choose(page, "known-at", place);
    assert.equal(await within(page, 'root.querySelector("output").textContent'), said);
    assert.equal(await within(page, 'root.querySelector("[type=range]").value'), place);
    assert.equal((await ids(page)).length, number);
  }
  assert.deepEqual(complaints, []);
  await close();
});

test("the view of differences has no filter and no slider, and as many items as are asked for", async () => {
  const attributes = 'view="diff" base="known_at=2025-02-18" head="known_at=2025-02-20" filters travel limit="2"';
  const { page, complaints, close } = await opened(hosted(element(attributes) + SCRIPT));
  await ready(page);
  assert.equal(await within(page, 'root.querySelectorAll("select, input").length'), 0);
  assert.equal((await ids(page)).length, 2);
  assert.deepEqual(complaints, []);
  await close();
});

test("one is told as one where the words are English for want of others", async () => {
  const { page, close } = await opened(hosted(element('lang="ja"', `${TIMELINE}?key=kosovo-independence`) + SCRIPT));
  await ready(page);
  const told = await within(page, '[...root.querySelectorAll("summary")].map((summary) => summary.textContent)');
  assert.ok(told.length > 0);
  assert.ok(told.every((words) => /^1 source says$|^([2-9]|\d\d+) sources say$/.test(words)), String(told));
  await close();
});

test("a diff as the source is shown as one, whatever else is asked for beside", async () => {
  const path = "/v1/diff?timeline=kosovo&base_known_at=2025-02-19&head_known_at=2025-02-20";
  const { page, complaints, close } = await opened(hosted(element('filters travel="both" view="axis"', path) + SCRIPT));
  await ready(page);
  const answer = await (await fetch(`${SERVICE}${path}`)).json();
  assert.equal(await within(page, 'root.querySelectorAll("[data-op]").length'), answer.items.length);
  assert.deepEqual(complaints, []);
  await close();
});

test("a side of a diff may name several of whom either is believed", async () => {
  const base = "according_to=bild&according_to=nato";
  const { page, asked, complaints, close } = await opened(hosted(element(`view="diff" base="${base}" head=""`) + SCRIPT));
  await ready(page);
  const address = new URL(asked.find((url) => url.includes("/v1/diff")));
  assert.deepEqual(address.searchParams.getAll("base_according_to"), ["bild", "nato"]);
  assert.deepEqual(complaints, []);
  await close();
});

test("more of a diff is asked for once, however often it is pressed", async () => {
  const path = "/v1/diff?timeline=kosovo&base_revision=0&limit=5";
  const { page, close } = await opened(hosted(element("", path) + SCRIPT));
  await ready(page);
  await within(page, '[1, 2, 3].forEach(() => root.querySelector(".more").click())');
  await until(page, 'root.querySelectorAll("[data-id]").length > 5 && !root.querySelector(".more").disabled');
  const shown = await ids(page);
  assert.equal(shown.length, 10);
  assert.equal(new Set(shown).size, 10);
  await close();
});

test("members asked for in the address, and a revision beside a lens, are not in the way", async () => {
  const { page, complaints, close } = await opened(hosted(element('view="axis"', `${TIMELINE}?fields=title`) + SCRIPT));
  await ready(page);
  assert.ok((await within(page, 'root.querySelectorAll(".mark").length')) > 0);
  assert.deepEqual(complaints, []);
  await close();
  const dated = await opened(hosted(element(`as-of="${new Date(Date.now() - 1_000).toISOString()}"`, `${TIMELINE}?revision=1`) + SCRIPT));
  await ready(dated.page);
  assert.deepEqual(dated.complaints, []);
  await dated.close();
});

test("properties set before the script was there hold, and without an address nothing is shown", async () => {
  const body = `<event-timeline>Told by the page itself</event-timeline>${SCRIPT}`;
  const early = await opened("about:blank");
  await early.page.addInitScript((address) => {
    document.addEventListener("readystatechange", () => {
      const timeline = document.querySelector("event-timeline");
      if (timeline && !customElements.get("event-timeline") && !Object.hasOwn(timeline, "src")) timeline.src = address;
    });
  }, `${SERVICE}${TIMELINE}`);
  await early.page.goto(hosted(body));
  await ready(early.page);
  assert.deepEqual(await ids(early.page), await listed());
  assert.equal(await early.page.getAttribute("event-timeline", "src"), `${SERVICE}${TIMELINE}`);
  await early.page.evaluate(() => (document.querySelector("event-timeline").src = null));
  await early.page.waitForSelector("text=Told by the page itself");
  assert.deepEqual(await ids(early.page), []);
  assert.deepEqual(early.complaints, []);
  await early.close();
});

test("a page that fails later is told of, in the reader's language, and asked for again", async () => {
  const { page, close } = await opened(hosted(element('paging="button" limit="5" lang="de"') + SCRIPT));
  await ready(page);
  await page.evaluate(() => {
    globalThis.told = [];
    document.querySelector("event-timeline").addEventListener("error", (event) => globalThis.told.push(event.detail.error.status));
  });
  await page.route(/cursor=/, (route) => route.fulfill({ status: 503, json: {}, headers: { "Access-Control-Allow-Origin": "*" } }));
  await within(page, 'root.querySelector(".more").click()');
  await until(page, 'root.querySelector("[role=alert]")');
  assert.match(await within(page, 'root.querySelector("[role=alert]").textContent'), /kann nicht geladen werden/);
  assert.deepEqual(await page.evaluate(() => globalThis.told), [503]);
  assert.equal((await ids(page)).length, 5);
  await page.unroute(/cursor=/);
  await within(page, 'root.querySelector(".more").click()');
  await until(page, 'root.querySelectorAll("[data-id]").length === 10');
  assert.equal(await within(page, 'root.querySelector("[role=alert]")'), null);
  await page.evaluate(() => (document.querySelector("event-timeline").src += "?bogus=1"));
  await until(page, 'root.querySelector("[role=alert]")');
  assert.match(await within(page, 'root.querySelector("[role=alert]").textContent'), /kann nicht geladen werden.*Noch einmal/);
  assert.equal(await page.evaluate(() => document.querySelector("event-timeline").matches(":state(ready)")), false);
  await close();
});

test("where the language turns, the direction does", async () => {
  const { page, close } = await opened(hosted(element('lang="ar"') + SCRIPT));
  await ready(page);
  const direction = () => within(page, "getComputedStyle(timeline).direction");
  assert.equal(await direction(), "rtl");
  await page.evaluate(() => (document.querySelector("event-timeline").lang = "en"));
  await until(page, 'root.querySelector(".more")?.textContent === "Show more events"');
  assert.equal(await direction(), "ltr");
  await close();
});

test("news is told of a diff, of counts, and once for each event of a full page", async () => {
  const tag = `watched-${Date.now()}`;
  const events = (from, number) => Array.from({ length: number }, (_, place) => ({ title: `Event ${from + place}`, occurred: String(from + place).padStart(4, "0"), tags: [tag] }));
  await written(events(1000, 600));
  const { revision } = await (await fetch(`${WRITABLE}/v1/events?tag=${tag}&limit=1`)).json();
  const of = (path, attributes = "") => element(`live="5" ${attributes}`, path, WRITABLE);
  const body =
    of(`/v1/events?tag=${tag}`, 'limit="5"') + of(`/v1/events?tag=${tag}`, 'view="axis"') + of(`/v1/diff?tag=${tag}&base_revision=${revision}`) + WRITTEN.script;
  const { page, complaints, close } = await opened(hosted(body, WRITTEN));
  await ready(page);
  await page.waitForTimeout(500);
  await written(events(900, 1));
  await page.waitForFunction(() => [...document.querySelectorAll("event-timeline")].every((each) => each.shadowRoot.querySelector(".news")), null, { timeout: 20_000 });
  const told = await page.evaluate(() => [...document.querySelectorAll("event-timeline")].map((each) => each.shadowRoot.querySelector(".news").textContent));
  assert.deepEqual(told, Array(3).fill("1 change: show it"));
  await within(page, '[...document.querySelectorAll("event-timeline")].forEach((each) => each.shadowRoot.querySelector(".news").click())');
  await page.waitForTimeout(1_000);
  await written([{ title: "Undated", tags: [tag] }]);
  await page.waitForFunction(() => document.querySelectorAll("event-timeline")[1].shadowRoot.querySelector(".news"), null, { timeout: 20_000 });
  assert.deepEqual(complaints, []);
  await close();
});

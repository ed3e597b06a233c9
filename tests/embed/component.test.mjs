// The component on a page of somebody else, whose policy lets in nothing but it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hosted, listed, opened, ready, SCRIPT, SERVICE, TIMELINE } from "./stage.mjs";

const element = (attributes = "", within = "", path = TIMELINE) =>
  `<event-timeline src="${SERVICE}${path}" ${attributes}>${within}</event-timeline>`;
const ids = (page, number = 0) =>
  page.evaluate(
    (place) =>
      [...document.querySelectorAll("event-timeline")[place].shadowRoot.querySelectorAll("[data-id]")].map(
        (item) => item.dataset.id,
      ),
    number,
  );
const active = (page) =>
  page.evaluate(() => document.querySelector("event-timeline").shadowRoot.activeElement?.dataset.id ?? null);

test("two on one page, under a policy that lets in nothing else, show what the service lists", async () => {
  const later = `${TIMELINE}?from=2025-02-20`;
  const { page, asked, complaints, close } = await opened(hosted(element() + element("", "", later) + SCRIPT));
  await ready(page);
  assert.deepEqual(await ids(page), await listed());
  assert.deepEqual(await ids(page, 1), await listed(later));
  assert.deepEqual(complaints, []);
  assert.deepEqual([...new Set(asked.map((url) => new URL(url).origin))].length, 2);
  const kept = await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length]);
  assert.deepEqual(kept, ["", 0, 0]);
  await close();
});

test("nothing is left in the page's own names", async () => {
  const names = async (body) => {
    const { page, close } = await opened(hosted(body));
    if (body.includes(SCRIPT)) await ready(page);
    const found = await page.evaluate(() => Object.getOwnPropertyNames(window).sort());
    await close();
    return found;
  };
  assert.deepEqual(await names(element() + SCRIPT), await names("<p>Nothing</p>"));
});

test("no part is loaded before it is used", async () => {
  const parts = (asked) => asked.filter((url) => url.includes("/embed/")).map((url) => /embed\/(.*?)(-[0-9a-f]{8})?\.js/.exec(url)[1]);
  for (const [attributes, wanted] of [
    ["", ["event-timeline"]],
    ['view="axis"', ["event-timeline", "axis"]],
    ['lang="de"', ["event-timeline", "lang-de"]],
    ['filters travel="known-at"', ["event-timeline", "filters", "travel"]],
    ['view="diff" base="known_at=2025-02-19" head="known_at=2025-02-20"', ["event-timeline", "diff"]],
  ]) {
    const { page, asked, complaints, close } = await opened(hosted(element(attributes) + SCRIPT));
    await ready(page);
    assert.deepEqual(parts(asked), wanted);
    assert.deepEqual(complaints, []);
    await close();
  }
});

test("one tab stop; arrows, Home, End, Enter and Escape lead through it, and keys elsewhere are the page's", async () => {
  const body = `<button id="before">Before</button>${element()}<input id="after" value="x">${SCRIPT}`;
  const { page, close } = await opened(hosted(body));
  await ready(page);
  const all = await listed();
  await page.focus("#before");
  await page.keyboard.press("Tab");
  assert.equal(await active(page), all[0]);
  await page.keyboard.press("ArrowDown");
  assert.equal(await active(page), all[1]);
  await page.keyboard.press("End");
  assert.equal(await active(page), all.at(-1));
  await page.keyboard.press("ArrowUp");
  assert.equal(await active(page), all.at(-2));
  await page.keyboard.press("Home");
  assert.equal(await active(page), all[0]);
  const open = () =>
    page.evaluate(() => document.querySelector("event-timeline").shadowRoot.activeElement.querySelector("details").open);
  await page.keyboard.press("Enter");
  assert.equal(await open(), true);
  await page.keyboard.press("Escape");
  assert.equal(await open(), false);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "after");
  await page.keyboard.press("Home");
  await page.keyboard.type("ab");
  assert.equal(await page.inputValue("#after"), "abx");
  await close();
});

test("it tells of what happens to it, and its attributes are properties", async () => {
  const { page, close } = await opened(hosted(element() + SCRIPT));
  await ready(page);
  const told = await page.evaluate(async () => {
    const timeline = document.querySelector("event-timeline");
    const once = (name) => new Promise((done) => timeline.addEventListener(name, (event) => done(event.detail), { once: true }));
    const selected = once("select");
    timeline.shadowRoot.querySelector("[data-id]").click();
    const { id } = await selected;
    const again = once("ready");
    timeline.knownAt = "2000";
    const { address } = await again;
    const failed = once("error");
    timeline.src = timeline.src.replace("kosovo", "nothing-of-this-name");
    const { error } = await failed;
    return { id, address, error: error.status, reflected: timeline.getAttribute("known-at"), alert: timeline.shadowRoot.querySelector("[role=alert]").textContent };
  });
  assert.equal(told.id, (await listed())[0]);
  assert.equal(new URL(told.address).searchParams.get("known_at"), "2000");
  assert.equal(told.reflected, "2000");
  assert.equal(told.error, 404);
  assert.match(told.alert, /no timeline nothing-of-this-name/);
  await close();
});

test("what the page holds itself is there without a script, until the timeline is, and where it fails", async () => {
  const within = "<ol><li>Told by the page itself</li></ol>";
  const without = await opened(hosted(element("", within) + SCRIPT), { javaScriptEnabled: false });
  assert.match(await without.page.innerText("body"), /Told by the page itself/);
  await without.close();
  const failing = await opened(hosted(element("", within, "/v1/timelines/no-such/events") + SCRIPT));
  await failing.page.waitForFunction(() => document.querySelector("event-timeline").shadowRoot?.querySelector("[role=alert]"));
  assert.ok(await failing.page.isVisible("text=Told by the page itself"));
  await failing.close();
  const shown = await opened(hosted(element("", within) + SCRIPT));
  await ready(shown.page);
  assert.ok(!(await shown.page.isVisible("text=Told by the page itself")));
  await shown.close();
});

test("a denial is told apart by words and signs, and by whom it is", async () => {
  const { page, close } = await opened(hosted(element("", "", `${TIMELINE}?from=2025-02&to=2025-02-20&key=us-troop-withdrawal`) + SCRIPT));
  await ready(page);
  const item = await page.evaluate(() => {
    const found = document.querySelector("event-timeline").shadowRoot.querySelector("[data-id]");
    found.querySelector("details").open = true;
    const sign = found.querySelector("[part=standing]").dataset.sign;
    return { standing: found.dataset.standing, sign, text: found.innerText };
  });
  assert.equal(item.standing, "contested");
  assert.equal(item.sign, "≠");
  assert.match(item.text, /Contested/);
  assert.match(item.text, /Denied by /);
  assert.match(item.text, /Reported by /);
  await close();
});

test("the axis moves by keys and buttons, and opens what is chosen", async () => {
  const { page, complaints, close } = await opened(hosted(element('view="axis"') + SCRIPT));
  await ready(page);
  const shadow = (expression) => page.evaluate(`(() => { const root = document.querySelector("event-timeline").shadowRoot; return ${expression}; })()`);
  const ticks = await shadow('[...root.querySelectorAll(".tick")].map((tick) => tick.textContent)');
  assert.ok(ticks.length > 2);
  const range = page.evaluate(
    () => new Promise((done) => document.querySelector("event-timeline").addEventListener("rangechange", (event) => done(event.detail), { once: true })),
  );
  await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector("[part=zoom]").click());
  const { from, to } = await range;
  assert.ok(from > "1998" && to < "2027" && from < to, `${from} ${to}`);
  assert.notDeepEqual(await shadow('[...root.querySelectorAll(".tick")].map((tick) => tick.textContent)'), ticks);
  await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector('.mark [tabindex="0"]')?.focus());
  await page.keyboard.press("End");
  const last = await shadow("root.activeElement.dataset.number");
  assert.ok(Number(last) > 10);
  await page.keyboard.press("Enter");
  assert.match(await shadow('root.querySelector("[part=detail]").innerText'), /\w/);
  assert.deepEqual(complaints, []);
  await close();
});

test("the axis moves by wheel and by two fingers, and leaves the plain wheel to the page", async () => {
  const { page, complaints, close } = await opened(hosted(element('view="axis"') + SCRIPT), { hasTouch: true });
  await ready(page);
  await page.waitForFunction(() => document.querySelector("event-timeline").shadowRoot.querySelector(".axis"));
  await page.evaluate(() => {
    globalThis.told = [];
    document.querySelector("event-timeline").addEventListener("rangechange", (event) => globalThis.told.push(event.detail));
  });
  /** The years in sight after something was done, null where none were told. */
  const after = async (act) => {
    await act();
    // Two frames, and what is told after the last of several changes.
    await page.waitForTimeout(400);
    const detail = await page.evaluate(() => globalThis.told.splice(0).at(-1) ?? null);
    return detail && [detail.from, detail.to].map((edge) => Date.parse(edge));
  };
  const { x, y } = await page.locator("event-timeline .axis").boundingBox();
  const [middle, inside] = [x + 400, y + 150];
  await page.mouse.move(middle, inside);
  assert.equal(await after(() => page.mouse.wheel(0, 300)), null);

  const near = await after(async () => {
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -300);
    await page.keyboard.up("Control");
  });
  const aside = await after(() => page.mouse.wheel(200, 0));
  assert.ok(aside[0] > near[0] && aside[1] > near[1], `${near} ${aside}`);
  const length = ([from, to]) => to - from;
  const year = 365 * 86_400_000;
  assert.ok(Math.abs(length(aside) - length(near)) < year, `${near} ${aside}`);

  const session = await page.context().newCDPSession(page);
  const touch = (type, apart) => session.send("Input.dispatchTouchEvent", {
    type,
    touchPoints: apart === null ? [] : [-apart, apart].map((away, id) => ({ x: middle + away, y: inside, id })),
  });
  const pinched = await after(async () => {
    await touch("touchStart", 50);
    for (let apart = 60; apart <= 150; apart += 10) await touch("touchMove", apart);
    await touch("touchEnd", null);
  });
  // Three times as far apart: a third of the years.
  assert.ok(Math.abs(length(pinched) / length(aside) - 1 / 3) < 0.05, `${aside} ${pinched}`);
  assert.deepEqual(complaints, []);
  await close();
});

test("the slider goes back to what was known, by stops at which it changed", async () => {
  const { page, close } = await opened(hosted(element('travel="known-at"') + SCRIPT));
  await ready(page);
  const now = await ids(page);
  await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector("[type=range]").focus());
  await page.keyboard.press("Home");
  await page.waitForFunction((count) => {
    const items = document.querySelector("event-timeline").shadowRoot.querySelectorAll("[data-id]");
    return items.length > 0 && items.length < count;
  }, now.length);
  const first = await page.getAttribute("event-timeline", "known-at");
  assert.deepEqual(await ids(page), await listed(`${TIMELINE}?known_at=${first}`));
  const focused = () => page.evaluate(() => document.querySelector("event-timeline").shadowRoot.activeElement?.type);
  await page.waitForFunction(() => document.querySelector("event-timeline").shadowRoot.activeElement?.type === "range");
  assert.equal(await focused(), "range");
  await page.keyboard.press("End");
  await page.waitForFunction((count) => document.querySelector("event-timeline").shadowRoot.querySelectorAll("[data-id]").length === count, now.length);
  assert.equal(await page.getAttribute("event-timeline", "known-at"), null);
  await close();
});

test("the diff view tells what was added and what changed between two instants", async () => {
  const { page, close } = await opened(hosted(element('view="diff" base="known_at=2025-02-19" head="known_at=2025-02-20"') + SCRIPT));
  await ready(page);
  const answer = await (await fetch(`${SERVICE}/v1/diff?timeline=kosovo&base_known_at=2025-02-19&head_known_at=2025-02-20`)).json();
  const ops = await page.evaluate(() => [...document.querySelector("event-timeline").shadowRoot.querySelectorAll("[data-op]")].map((item) => item.dataset.op));
  assert.deepEqual(ops, answer.items.map((item) => item.op));
  const summary = await page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector("[part=summary]").textContent);
  assert.match(summary, new RegExp(`${answer.summary.added}.*${answer.summary.removed}.*${answer.summary.changed}`));
  await close();
});

test("every language has all its words, and Arabic is mirrored", async () => {
  for (const lang of ["en", "de", "fr", "sq", "sr", "sr-Latn", "it", "ru", "ar", "uk", "es"]) {
    const { page, complaints, close } = await opened(hosted(element('view="axis" filters travel="both"') + SCRIPT, { lang }));
    await ready(page);
    const told = await page.evaluate(() => {
      const timeline = document.querySelector("event-timeline");
      return { direction: getComputedStyle(timeline).direction, text: timeline.shadowRoot.textContent };
    });
    assert.equal(told.direction, lang === "ar" ? "rtl" : "ltr");
    assert.doesNotMatch(told.text, /undefined|\{\d\}|null/, lang);
    assert.deepEqual(complaints, []);
    await close();
  }
});

// The page to be framed: how high it says that it is, in a sandbox as WordPress makes it, and without any script.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hosted, listed, opened, ready, SERVICE, STRICT } from "./stage.mjs";

const PAGE = `${SERVICE}/embed/timelines/kosovo`;
/** A host that gives the frame the height that it is told in one of three ways, and counts how often. */
const host = (address, attributes, read) => `
  <iframe src="${address}" width="700" height="200" ${attributes}></iframe>
  <script>
    window.told = [];
    addEventListener("message", ({ data, source }) => {
      const frame = document.querySelector("iframe");
      if (source !== frame.contentWindow) return;
      const height = (${read})(data);
      if (height === undefined) return;
      told.push(height);
      frame.height = height;
    });
  </script>`;
const CSP = `default-src 'none'; script-src 'unsafe-inline'; frame-src ${SERVICE}; style-src 'unsafe-inline'`;
const READS = {
  own: "(data) => data?.type === 'dateline:height' ? data.height : undefined",
  embedly: "(data) => { try { const told = JSON.parse(data); return told.context === 'iframe.resize' ? told.height : undefined; } catch { return undefined; } }",
  wordpress: "(data) => data?.message === 'height' && data.secret === 'abc123' ? data.value : undefined",
};

for (const [name, read] of Object.entries(READS)) {
  for (const attributes of ["", 'sandbox="allow-scripts"']) {
    test(`a host that listens as ${name} does, ${attributes || "without a sandbox"}`, async () => {
      const { page, complaints, close } = await opened(hosted(host(`${PAGE}#?secret=abc123`, attributes, read), { csp: CSP }));
      const frame = page.frames().find((each) => each !== page.mainFrame());
      await ready(frame);
      await page.waitForTimeout(1_000);
      const before = await page.evaluate(() => told.length);
      await page.waitForTimeout(1_000);
      const told = await page.evaluate(() => window.told);
      assert.ok(told.length >= 1 && told.length <= 6, `told ${told}`);
      assert.equal(told.length, before, "it has come to rest");
      const [high, inner] = await frame.evaluate(() => [document.body.getBoundingClientRect().height, innerHeight]);
      assert.ok(Math.abs(high - inner) <= 1, `${high} in ${inner}`);
      assert.deepEqual(complaints, []);
      await close();
    });
  }
}

/** What WordPress lets through of a stranger's oEmbed, as its `wp_filter_oembed_result` says; null where that is nothing. */
function filtered(html, secret) {
  const kept = { A: ["href"], BLOCKQUOTE: [], IFRAME: ["src", "width", "height", "frameborder", "marginwidth", "marginheight", "scrolling", "title"] };
  const clean = (node) =>
    [...node.childNodes]
      .map((each) => {
        if (each.nodeType === Node.TEXT_NODE) return each.cloneNode();
        const inner = clean(each);
        if (!(each.nodeName in kept)) return inner;
        const copy = document.createElement(each.nodeName);
        for (const name of kept[each.nodeName]) if (each.hasAttribute(name)) copy.setAttribute(name, each.getAttribute(name));
        copy.append(...inner);
        return copy;
      })
      .flat();
  const whole = document.createElement("div");
  whole.append(...clean(new DOMParser().parseFromString(html, "text/html").body));
  const [frame, quote] = [whole.querySelector("iframe"), whole.querySelector("blockquote")];
  if (frame === null) return null;
  frame.setAttribute("src", `${frame.getAttribute("src")}#?secret=${secret}`);
  for (const each of [frame, quote]) each?.setAttribute("data-secret", secret);
  if (quote) frame.setAttribute("style", "position: absolute; visibility: hidden;");
  for (const [name, value] of [["class", "wp-embedded-content"], ["sandbox", "allow-scripts"], ["security", "restricted"]]) frame.setAttribute(name, value);
  return (quote?.outerHTML ?? "") + frame.outerHTML;
}

test("what WordPress's filter leaves of the oEmbed is a timeline that works", async () => {
  const [discovering, asking] = [await opened(PAGE), await opened("about:blank")];
  const address = await discovering.page.getAttribute('link[type="application/json+oembed"]', "href");
  await discovering.close();
  const told = await (await fetch(address)).json();
  assert.equal(told.type, "rich");
  const left = await asking.page.evaluate(`(${filtered})(${JSON.stringify(told.html)}, "s3cret")`);
  await asking.close();
  assert.match(left, /<iframe src="[^"]+#\?secret=s3cret" /);
  // As wp-embed.js: the frame is found by its secret, shown in place of the quotation, and never higher than 1,000.
  const listening = `<script>
    window.told = [];
    addEventListener("message", ({ data, source }) => {
      if (!data?.secret || /[^a-zA-Z0-9]/.test(data.secret)) return;
      for (const frame of document.querySelectorAll('iframe[data-secret="' + data.secret + '"]')) {
        if (source !== frame.contentWindow) continue;
        if (data.message === "height") {
          told.push(parseInt(data.value, 10));
          frame.height = Math.min(1000, Math.max(200, parseInt(data.value, 10)));
          frame.removeAttribute("style");
          for (const quote of document.querySelectorAll("blockquote[data-secret]")) quote.hidden = true;
        }
      }
    });
  </script>`;
  const { page, complaints, close } = await opened(hosted(`<main style="width: 640px">${listening}${left}</main>`, { csp: CSP }));
  await page.waitForFunction(() => window.told.length > 0);
  const frame = page.frames().find((each) => each !== page.mainFrame());
  await ready(frame);
  await page.waitForTimeout(500);
  const ids = await frame.evaluate(() => [...document.querySelector("event-timeline").shadowRoot.querySelectorAll("[data-id]")].map((item) => item.dataset.id));
  assert.deepEqual(ids, await listed());
  const [shown, height] = await page.evaluate(() => {
    const frame = document.querySelector("iframe");
    return [getComputedStyle(frame).visibility, frame.clientHeight];
  });
  assert.equal(shown, "visible");
  assert.equal(height, Math.min(1000, Math.max(200, (await page.evaluate(() => told.at(-1))))));
  assert.deepEqual(complaints, []);
  await close();
});

test("without a script the page lists the same events, and leads to the rest", async () => {
  const { page, close } = await opened(`${PAGE}?limit=5`, { javaScriptEnabled: false });
  const ids = () => page.$$eval("[data-id]", (items) => items.map((item) => item.dataset.id));
  const found = await ids();
  for (let next = page.locator("a[rel=next]"); (await next.count()) > 0; next = page.locator("a[rel=next]")) {
    await next.click();
    found.push(...(await ids()));
  }
  assert.deepEqual(found, await listed());
  await close();
});

test("the second page shows the same events once it has its script", async () => {
  const { page, close } = await opened(`${PAGE}?limit=5`, { javaScriptEnabled: false });
  const next = await page.getAttribute("a[rel=next]", "href");
  await close();
  const shown = await opened(next);
  await ready(shown.page);
  const ids = await shown.page.evaluate(() => [...document.querySelector("event-timeline").shadowRoot.querySelectorAll("[data-id]")].map((item) => item.dataset.id));
  assert.deepEqual(ids.slice(0, 5), (await listed()).slice(5, 10));
  assert.deepEqual(shown.complaints, []);
  await shown.close();
});

test("nothing of it moves while it loads", async () => {
  const { page, close } = await opened("about:blank");
  await page.addInitScript(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
  });
  for (const query of ["", "?view=axis&travel=known-at"]) {
    await page.goto(PAGE + query);
    await ready(page);
    await page.waitForTimeout(500);
    const shifted = await page.evaluate(() => window.shifted);
    assert.ok(shifted <= 0.01, `${query}: ${shifted}`);
  }
  await close();
});

test("the builder shows what is chosen, and what it gives to copy works", async () => {
  const { page, asked, complaints, close } = await opened(`${SERVICE}/embed`);
  await ready(page);
  await page.selectOption("[name=view]", "axis");
  await page.selectOption("[name=lang]", "de");
  await page.check("[name=filters]");
  await page.waitForFunction(() => document.querySelector("event-timeline")?.shadowRoot?.querySelector(".axis"));
  const [element, frame] = await page.$$eval("pre code", (codes) => codes.map((code) => code.textContent));
  assert.deepEqual(complaints, []);
  assert.deepEqual([...new Set(asked.map((url) => new URL(url).origin))].filter((origin) => origin !== "null"), [SERVICE]);
  await close();
  const copied = await opened(hosted(element, { csp: STRICT.replace("style-src 'none'", "style-src 'unsafe-inline'") }));
  await ready(copied.page);
  assert.ok(await copied.page.evaluate(() => document.querySelector("event-timeline").shadowRoot.querySelector(".axis")));
  assert.deepEqual(copied.complaints, []);
  await copied.close();
  const framed = await opened(hosted(frame, { csp: CSP }));
  await ready(framed.page.frames()[1]);
  assert.equal(await framed.page.frames()[1].evaluate(() => document.documentElement.lang), "de");
  await framed.close();
});

test("the front page opens a timeline, and finds events by their words", async () => {
  const { page, asked, complaints, close } = await opened(SERVICE + "/");
  await ready(page);
  await page.fill("[name=q]", "troops");
  await page.click("form button");
  await ready(page);
  const ids = await page.evaluate(() => [...document.querySelector("event-timeline").shadowRoot.querySelectorAll("[data-id]")].map((item) => item.dataset.id));
  assert.deepEqual(ids, await listed("/v1/events?q=troops"));
  assert.deepEqual(complaints, []);
  assert.deepEqual([...new Set(asked.map((url) => new URL(url).origin))].filter((origin) => origin !== "null"), [SERVICE]);
  await close();
});

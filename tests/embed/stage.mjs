// What the browser tests stand on: a real Chromium, and pages of another origin that hold a timeline.

import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { after } from "node:test";

/** The service under test, with the demo dossier, and where Chromium is. */
export const SERVICE = process.env.SERVICE;
const OPTIONS = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];
export const STRICT =
  `default-src 'none'; style-src 'none'; script-src ${SERVICE}/embed/; connect-src ${SERVICE}/v1/; ` +
  `frame-src ${SERVICE}; require-trusted-types-for 'script'; trusted-types 'none'`;
export const SCRIPT = `<script type="module" src="${SERVICE}/embed/event-timeline.js" crossorigin></script>`;
export const TIMELINE = "/v1/timelines/kosovo/events";

export const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: OPTIONS });

const MODULES = join(import.meta.dirname, "../../node_modules");
const KINDS = { ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };
const pages = new Map();
const server = createServer((request, response) => {
  const file = /^\/modules\/([\w@./-]+)$/.exec(request.url)?.[1];
  if (file && !file.includes("..")) {
    response.writeHead(200, { "Content-Type": KINDS[extname(file)] ?? "application/octet-stream" });
    return response.end(readFileSync(join(MODULES, file)));
  }
  const page = pages.get(request.url);
  response.writeHead(page ? 200 : 404, { "Content-Type": "text/html; charset=utf-8", ...page?.headers });
  return response.end(page?.body ?? "");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
export const HOST = `http://127.0.0.1:${server.address().port}`;

after(async () => {
  await browser.close();
  server.close();
});

/** The address of a page of another origin. */
export function hosted(body, { csp = STRICT, lang = "en" } = {}) {
  const path = `/${pages.size + 1}`;
  const html = `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><title>A host</title></head><body>${body}</body></html>`;
  pages.set(path, { body: html, headers: { "Content-Security-Policy": csp } });
  return HOST + path;
}

/** A page of the browser, with all that it asked for and complained of. */
export async function opened(address, options = {}) {
  const context = await browser.newContext({ viewport: { width: 900, height: 800 }, ...options });
  const page = await context.newPage();
  const asked = [];
  const complaints = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  await page.goto(address);
  return { page, asked, complaints, close: () => context.close() };
}

/** Until every timeline of the page has told that it is ready. */
export async function ready(page) {
  await page.waitForFunction(() => {
    const all = [...document.querySelectorAll("event-timeline")];
    return all.length > 0 && all.every((each) => each.shadowRoot?.querySelector("[part=body] > *"));
  });
}

/** Ids of the events that the service lists. */
export async function listed(path = TIMELINE) {
  const answer = await fetch(`${SERVICE}${path}`);
  return (await answer.json()).items.map((event) => event.id);
}

/** A service that may be written to, and what a page takes a timeline of it in by. */
export const WRITABLE = process.env.WRITABLE;
export const WRITTEN = {
  script: `<script type="module" src="${WRITABLE}/embed/event-timeline.js" crossorigin></script>`,
  csp: `default-src 'none'; script-src ${WRITABLE}/embed/; connect-src ${WRITABLE}/v1/; style-src 'unsafe-inline'`,
};

/** Sends something to be recorded. */
export async function sent(method, path, body) {
  const answer = await fetch(`${WRITABLE}${path}`, {
    method,
    headers: { Authorization: `Bearer ${process.env.KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** What an expression about `timeline`, the first of the page, and its `root` is. */
export const within = (page, expression) =>
  page.evaluate(`(() => { const timeline = document.querySelector("event-timeline"), root = timeline.shadowRoot; return ${expression}; })()`);

/** Until such an expression is true. */
export async function until(page, condition) {
  for (let waited = 0; !(await within(page, `Boolean(${condition})`)); waited += 50) {
    if (waited > 10_000) throw new Error(`${condition} does not come true`);
    await page.waitForTimeout(50);
  }
}

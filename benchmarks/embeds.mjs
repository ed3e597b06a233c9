// The browser's side of embeds.py: shows each timeline in a fresh context, and prints a line of JSON for each.

import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join } from "node:path";

const { SERVICE, CHROMIUM } = process.env;
const SIZES = process.env.SIZES.split(",").map(Number);
const ROUNDS = Number(process.env.ROUNDS);
const MODULES = join(import.meta.dirname, "../node_modules");
const KINDS = { ".js": "text/javascript", ".css": "text/css", ".json": "application/json" };
const OPTIONS = [
  ...["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
];

const data = {};
for (const size of SIZES) {
  const file = await (await fetch(`${SERVICE}/v1/events/export/timelinejs?tag=of-${size}`)).text();
  const items = JSON.parse(file).events.map(({ text, start_date: { year, month, day } }, id) => ({
    id,
    content: text.headline,
    start: new Date(Date.UTC(year, month - 1, day)).toISOString(),
  }));
  data[size] = { timelinejs: file, vis: JSON.stringify(items) };
}

const bodies = {
  embed: (size) =>
    `<script type="module" src="${SERVICE}/embed/event-timeline.js"></script>
     <event-timeline id="shown" src="${SERVICE}/v1/events?tag=of-${size}" style="display: block; height: 37.5rem"></event-timeline>
     <script>document.querySelector("#shown").addEventListener("ready", () => (window.ready = performance.now()));</script>`,
  timelinejs: (size) =>
    `<link rel="stylesheet" href="/modules/@knight-lab/timelinejs/dist/css/timeline.css">
     <script src="/modules/@knight-lab/timelinejs/dist/js/timeline.js"></script>
     <div id="shown" style="width: 100%; height: 600px"></div>
     <script>
       window.timeline = new TL.Timeline("shown", "/data/timelinejs/${size}.json", { font: null });
       const look = () => {
         if (document.querySelectorAll(".tl-timemarker").length >= ${size}) window.ready = performance.now();
         else requestAnimationFrame(look);
       };
       look();
     </script>`,
  vis: (size) =>
    `<link rel="stylesheet" href="/modules/vis-timeline/styles/vis-timeline-graph2d.min.css">
     <script src="/modules/vis-timeline/standalone/umd/vis-timeline-graph2d.min.js"></script>
     <div id="shown"></div>
     <script>
       (async () => {
         const items = await (await fetch("/data/vis/${size}.json")).json();
         const shown = new vis.Timeline(document.querySelector("#shown"), new vis.DataSet(items), { height: "600px" });
         shown.on("changed", () => (window.ready ??= performance.now()));
       })();
     </script>`,
};

const server = createServer((request, response) => {
  const [, folder, ...rest] = request.url.split("?")[0].split("/");
  const name = rest.join("/");
  const body =
    folder === "page"
      ? `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${name}</title></head><body>${bodies[rest[0]](rest[1])}<p>After</p></body></html>`
      : folder === "data"
        ? data[rest[1].replace(".json", "")][rest[0]]
        : folder === "modules" && !name.includes("..")
          ? readFileSync(join(MODULES, name))
          : null;
  const kind = folder === "page" ? "text/html; charset=utf-8" : (KINDS[extname(name)] ?? "text/plain");
  response.writeHead(body === null ? 404 : 200, { "Content-Type": kind, "Cache-Control": "no-store" });
  response.end(body ?? "");
});
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const origin = `http://127.0.0.1:${server.address().port}`;

const browser = await chromium.launch({ executablePath: CHROMIUM, args: OPTIONS });
for (const size of SIZES) {
  for (let round = 0; round < ROUNDS; round++) {
    for (const kind of Object.keys(bodies)) {
      const context = await browser.newContext({ viewport: { width: 1000, height: 800 } });
      const page = await context.newPage();
      await page.route((url) => url.hostname !== "127.0.0.1", (route) => route.abort());
      await page.addInitScript(() => {
        window.shift = 0;
        new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.shift += entry.value))).observe({
          type: "layout-shift",
          buffered: true,
        });
      });
      await page.goto(`${origin}/page/${kind}/${size}`, { waitUntil: "commit" });
      await page.waitForFunction(() => window.ready, null, { timeout: 120_000, polling: 20 });
      const told = await page.evaluate(() => {
        const counted = (root) =>
          [...root.querySelectorAll("*")].reduce((sum, each) => sum + 1 + (each.shadowRoot ? counted(each.shadowRoot) : 0), 0);
        return { ms: window.ready, nodes: counted(document), shift: window.shift };
      });
      console.log(JSON.stringify({ kind, size, ...told }));
      await context.close();
    }
  }
}
await browser.close();
server.close();

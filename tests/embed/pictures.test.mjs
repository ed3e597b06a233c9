// What every mode looks like, beside the pictures of docs/pictures, which the README shows. They are compared by the
// brightness of a coarse grid, which another font or a pixel does not change; every two of them differ by more.
//
// `DATELINE_PICTURES=write` draws them anew: then look at each before it is committed.

import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { opened, ready, SERVICE } from "./stage.mjs";

const FOLDER = join(import.meta.dirname, "../../docs/pictures");
const WRITES = process.env.DATELINE_PICTURES === "write";
const WIDTH = 640;
const GRID = [32, 24];
/** Of 255, on average over the grid. */
const ALIKE = 3;
const NOW = new Date("2026-01-01T12:00:00Z");
const PAGE = "/embed/timelines/kosovo";
const LANES = "?view=axis&lanes=kind&filters=true&travel=both";
const DIFF = "?view=diff&base=known_at%3D2025-02-19&head=known_at%3D2025-02-20";

const MODES = {
  list: [PAGE],
  claims: [PAGE, {}, (page) => unfolded(page)],
  axis: [`${PAGE}?view=axis`],
  lanes: [PAGE + LANES],
  diff: [PAGE + DIFF],
  dark: [PAGE, { colorScheme: "dark" }],
  "dark-axis": [PAGE + LANES, { colorScheme: "dark" }],
  "forced-colours": [PAGE + DIFF, { forcedColors: "active", colorScheme: "dark" }],
  narrow: [PAGE, { viewport: { width: 320, height: 640 } }],
  arabic: [`${PAGE}?lang=ar`],
  serbian: [`${PAGE}?view=axis&lang=sr&travel=known-at`],
  print: [PAGE, {}, (page) => page.emulateMedia({ media: "print" })],
  "without-script": [PAGE, { javaScriptEnabled: false }],
  builder: ["/embed", { viewport: { width: 900, height: 900 } }],
  front: ["/", { viewport: { width: 900, height: 900 } }],
};

function unfolded(page) {
  return page.evaluate(() => {
    for (const each of document.querySelector("event-timeline").shadowRoot.querySelectorAll("details")) each.open = true;
  });
}

const drawing = await opened("about:blank");
after(() => drawing.close());

/** A picture as WebP, made as wide as those that are kept. */
function scaled(png) {
  return drawing.page.evaluate(
    async ([data, width]) => {
      const picture = await createImageBitmap(await (await fetch(data)).blob());
      const most = Math.min(width, picture.width);
      const canvas = Object.assign(document.createElement("canvas"), { width: most, height: Math.round((picture.height * most) / picture.width) });
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(picture, 0, 0, canvas.width, canvas.height);
      return canvas.toDataURL("image/webp", 0.85);
    },
    [`data:image/png;base64,${png.toString("base64")}`, WIDTH],
  );
}

/** How bright each field of the grid is, from 0 to 255. */
function brightness(address) {
  return drawing.page.evaluate(
    async ([data, [across, down]]) => {
      const picture = await createImageBitmap(await (await fetch(data)).blob());
      const canvas = Object.assign(document.createElement("canvas"), { width: picture.width, height: picture.height });
      const context = canvas.getContext("2d");
      context.drawImage(picture, 0, 0);
      const { data: bytes } = context.getImageData(0, 0, picture.width, picture.height);
      const sums = Array(across * down).fill(0);
      const counts = Array(across * down).fill(0);
      for (let y = 0; y < picture.height; y++) {
        for (let x = 0; x < picture.width; x++) {
          const field = Math.floor((y * down) / picture.height) * across + Math.floor((x * across) / picture.width);
          const at = 4 * (y * picture.width + x);
          sums[field] += 0.299 * bytes[at] + 0.587 * bytes[at + 1] + 0.114 * bytes[at + 2];
          counts[field]++;
        }
      }
      return sums.map((sum, field) => sum / counts[field]);
    },
    [address, GRID],
  );
}

const apart = (one, other) => one.reduce((sum, value, field) => sum + Math.abs(value - other[field]), 0) / one.length;
const kept = (name) => `data:image/webp;base64,${readFileSync(join(FOLDER, `${name}.webp`)).toString("base64")}`;

for (const [name, [path, options, act]] of Object.entries(MODES)) {
  test(`the picture of ${name}`, async () => {
    const { page, complaints, close } = await opened("about:blank", { viewport: { width: 900, height: 700 }, ...options });
    await page.clock.setFixedTime(NOW);
    await page.goto(SERVICE + path);
    if (options?.javaScriptEnabled !== false) await ready(page);
    await act?.(page);
    await page.waitForTimeout(300);
    const picture = await scaled(await page.screenshot());
    assert.deepEqual(complaints, []);
    await close();
    if (WRITES) {
      mkdirSync(FOLDER, { recursive: true });
      writeFileSync(join(FOLDER, `${name}.webp`), Buffer.from(picture.split(",")[1], "base64"));
    }
    assert.ok(existsSync(join(FOLDER, `${name}.webp`)), "it has been drawn and looked at");
    const far = apart(await brightness(picture), await brightness(kept(name)));
    assert.ok(far <= ALIKE, `${far.toFixed(2)} apart from the picture that is kept`);
  });
}

test("no two of the pictures are alike", async () => {
  const grids = {};
  for (const name of Object.keys(MODES)) grids[name] = await brightness(kept(name));
  const names = Object.keys(grids);
  for (const one of names) {
    for (const other of names.slice(names.indexOf(one) + 1)) {
      const far = apart(grids[one], grids[other]);
      assert.ok(far > ALIKE, `${one} and ${other} are ${far.toFixed(2)} apart`);
    }
  }
});

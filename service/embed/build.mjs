// Builds the embed: `node service/embed/build.mjs [folder]`. Each file is named by what is in it, so that it may be kept
// for ever; files.json says which name each has now. The core names its parts, and parts are given the core's tools when
// they are shown, so that no file is loaded for another's sake.

import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = process.argv[2] ?? join(here, "dist");
const NOTE = "/* dateline, Apache-2.0 */\n";
const PARTS = ["axis", "diff", "filters", "travel"];
/** What pages of the service itself run beside the core. */
const PAGES = ["builder", "frame"];

const names = {};

const sheets = {
  name: "sheets",
  setup(within) {
    within.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(readFileSync(path, "utf8"), { loader: "css", minify: true, target: "es2022" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

async function made(entry, name, plugins = []) {
  const result = await build({
    entryPoints: [join(source, `${entry}.ts`)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    write: false,
    plugins: [sheets, ...plugins],
  });
  const text = (name === "event-timeline" ? NOTE : "") + result.outputFiles[0].text;
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 12);
  const file = `${name}-${hash}.js`;
  names[`${name}.js`] = file;
  writeFileSync(join(target, file), text);
  return file;
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

const files = new Map();
for (const part of PARTS) files.set(part, await made(part, part));
for (const each of readdirSync(join(source, "lang"))) {
  const language = basename(each, ".ts");
  files.set(language, await made(`lang/${language}`, `lang-${language}`));
}
const named = {
  name: "named",
  setup(within) {
    within.onResolve({ filter: /^\.\/.*\.js$/ }, ({ path, kind }) =>
      kind === "dynamic-import" ? { path: `./${files.get(basename(path, ".js"))}`, external: true } : undefined,
    );
  },
};
await made("element", "event-timeline", [named]);
for (const page of PAGES) await made(page, page);
// The same words for pages that are read without any script.
const words = {};
const loaded = (text) => import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
const english = await build({ entryPoints: [join(source, "strings.ts")], bundle: true, format: "esm", write: false });
words.en = (await loaded(english.outputFiles[0].contents)).english;
for (const [name, file] of Object.entries(names)) {
  const language = /^lang-(.*)\.js$/.exec(name)?.[1];
  if (language) words[language] = (await loaded(readFileSync(join(target, file)))).strings;
}
const sorted = Object.fromEntries(Object.entries(words).sort(([one], [other]) => (one < other ? -1 : 1)));
writeFileSync(join(target, "words.json"), JSON.stringify(sorted, null, 1) + "\n");
writeFileSync(join(target, "files.json"), JSON.stringify(names, Object.keys(names).sort(), 2) + "\n");

// Builds the embed: `node service/embed/build.mjs [folder]`. Each file is named by what is in it, so that it may be kept
// for ever; files.json says which name each has now. The core names its parts, and parts are given the core's tools when
// they are shown, so that no file is loaded for another's sake.

import { build, transform } from "esbuild";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { minify } from "terser";

const here = dirname(fileURLToPath(import.meta.url));
const source = join(here, "src");
const target = process.argv[2] ?? join(here, "dist");
const NOTE = "/* dateline, Apache-2.0 */\n";
/** Names within our own code, which no answer of the service and nothing of the browser has. */
const OURS =
  /^(reader|manner|eventItem|actorName|dateText|dayText|secondsOf|counted|announce|attempt|begin|histogram|listing|kit|stored|soft)$/;
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

let shortened = {};
/** Of parts and languages, by their names. */
const digests = {};

async function made(entry, name) {
  const result = await build({
    entryPoints: [join(source, `${entry}.ts`)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
    write: false,
    define: { DIGESTS: JSON.stringify(digests) },
    mangleProps: OURS,
    mangleCache: shortened,
    plugins: [sheets],
  });
  shortened = result.mangleCache;
  const { code } = await minify(result.outputFiles[0].text, {
    module: true,
    ecma: 2022,
    // Unsafe only for those who give classes of the language other meanings.
    compress: { passes: 3, unsafe: true, unsafe_arrows: true, reduce_funcs: false },
  });
  return written(name, `${name === "event-timeline" ? NOTE : ""}${code}\n`);
}

function written(name, text) {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 8);
  names[`${name}.js`] = `${name}-${hash}.js`;
  writeFileSync(join(target, names[`${name}.js`]), text);
  return hash;
}

rmSync(target, { recursive: true, force: true });
mkdirSync(target, { recursive: true });

for (const part of PARTS) digests[part] = await made(part, part);

/** What a file of words exports. */
async function wordsOf(entry) {
  const result = await build({ entryPoints: [join(source, entry)], bundle: true, format: "esm", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(result.outputFiles[0].contents).toString("base64")}`);
}

/** Words without their names, in the order of the English ones; `named` of strings.ts gives them back. */
function listed(model, words) {
  if (typeof model === "string" || "other" in model) return words;
  return Object.keys(model).map((name) => listed(model[name], words[name]));
}

// The same words for pages that are read without any script.
const words = { en: (await wordsOf("strings.ts")).english };
for (const each of readdirSync(join(source, "lang"))) {
  const language = basename(each, ".ts");
  words[language] = (await wordsOf(`lang/${each}`)).strings;
  const text = `export const strings=${JSON.stringify(listed(words.en, words[language]))};\n`;
  digests[`lang-${language}`] = written(`lang-${language}`, text);
}
await made("element", "event-timeline");
for (const page of PAGES) await made(page, page);
const sorted = Object.fromEntries(Object.entries(words).sort(([one], [other]) => (one < other ? -1 : 1)));
writeFileSync(join(target, "words.json"), JSON.stringify(sorted, null, 1) + "\n");
writeFileSync(join(target, "files.json"), JSON.stringify(names, Object.keys(names).sort(), 2) + "\n");

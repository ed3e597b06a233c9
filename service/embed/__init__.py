"""The embed: a web component in TypeScript (src/), and what `node service/embed/build.mjs` makes of it (dist/)."""

// How it looks: one sheet for all timelines of a page, made as an object, which no `style-src` forbids.

import core from "./core.css";

const sheets = new Map<string, CSSStyleSheet>();

/** The sheet of a text, one for all. */
export function sheetOf(text: string): CSSStyleSheet {
  let sheet = sheets.get(text);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.set(text, sheet);
  }
  return sheet;
}

export function styles(): CSSStyleSheet {
  return sheetOf(core);
}

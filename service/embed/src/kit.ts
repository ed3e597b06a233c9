// What parts are given of the core, so that nothing is loaded twice.

import { dateText, dayText, secondsOf } from "./dates.js";
import { h } from "./dom.js";
import { actorName, eventItem, marks } from "./event.js";
import { counted } from "./strings.js";

export const kit = { h, eventItem, actorName, marks, dateText, dayText, secondsOf, counted };
export type Kit = typeof kit;

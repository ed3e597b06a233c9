// What parts are given of the core, so that nothing is loaded twice.

import { dateText, partsOf, secondsOf } from "./dates.js";
import { h, linkTo } from "./dom.js";
import { actorName, eventItem, marks } from "./event.js";
import { counted, filled } from "./strings.js";

export const kit = { h, linkTo, eventItem, actorName, marks, dateText, partsOf, secondsOf, counted, filled };
export type Kit = typeof kit;

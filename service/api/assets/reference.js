"use strict";
// The reference works without this. With it, requests are edited and made where they are shown, things are found by
// their names, and links unfold what they lead to. A key stays in this variable, and text never becomes markup.
(() => {
  const SHOWN_MAX = 200_000;
  const LINE_MAX = 80;
  const TOLD = ["Content-Type", "ETag", "Revision", "Revision-Unchanged", "Location", "Link", "Cache-Control", "Vary",
    "Retry-After", "Accept-Patch", "WWW-Authenticate"];
  const READING = ["GET", "HEAD", "OPTIONS"];
  let key = "";

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [each, value] of Object.entries(attributes)) {
      if (each.startsWith("on")) made.addEventListener(each.slice(2), value);
      else if (value !== false) made.setAttribute(each, value === true ? "" : value);
    }
    made.append(...children);
    return made;
  };
  const button = (text, onclick, attributes = {}) => make("button", { type: "button", onclick, ...attributes }, text);

  // --- Links unfold what they lead to, and what is unfolded is what the address leads to

  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) {
      find.value = "";
      seek();
    }
    const entry = target.closest("details");
    if (entry) {
      entry.open = true;
      entry.firstElementChild.focus({ preventScroll: true });
    }
    (entry ?? target).scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (link && link.hash === location.hash) reveal();
  });
  for (const entry of all("details.entry")) {
    entry.addEventListener("toggle", () => {
      const hash = `#${entry.lastElementChild.id}`;
      if (entry.open && entry.contains(document.activeElement) && hash !== location.hash) {
        history.replaceState(null, "", hash);
      }
    });
  }

  // --- Things are found by their names: operations, parameters, shapes, members, problems

  const named = all("details.entry").map((entry) => ({
    entry,
    text: [entry.lastElementChild.id, ...all(":scope > summary, td:first-child code", entry).map((each) => each.textContent)]
      .join(" ").toLowerCase(),
    rows: all("tbody tr", entry).filter((row) => row.querySelector("td:first-child code")),
  }));
  const listed = all("nav li").map((item) => ({ item, id: item.firstElementChild.hash.slice(1) }));
  const problems = all("#problems ~ table tbody tr");
  const count = make("output", { class: "soft", for: "find" });
  const find = make("input", { id: "find", type: "search", autocomplete: "off", spellcheck: "false",
    placeholder: "known_at, revert, Claim …" });
  const holds = (text, words) => words.every((word) => text.includes(word));

  const seek = () => {
    const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = new Set();
    for (const { entry, text, rows } of named) {
      const hit = holds(text, words);
      entry.hidden = !hit;
      if (hit) found.add(entry.lastElementChild.id);
      for (const row of rows) {
        row.classList.toggle("found", words.some((word) => row.cells[0].textContent.toLowerCase().includes(word)));
      }
    }
    let refusals = 0;
    for (const row of problems) {
      row.hidden = !holds(row.textContent.toLowerCase(), words);
      refusals += !row.hidden;
    }
    for (const { item, id } of listed) item.hidden = !found.has(id);
    for (const section of all("main > section")) {
      section.hidden = words.length > 0 && !section.querySelector(".entry:not([hidden])")
        && !(refusals && section.querySelector("#problems"));
    }
    count.textContent = words.length ? `${found.size + refusals} found` : "";
  };
  find.addEventListener("input", seek);
  find.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      find.value = "";
      seek();
    }
    const first = event.key === "Enter" && named.find(({ entry }) => !entry.hidden);
    if (first) {
      event.preventDefault();
      history.replaceState(null, "", `#${first.entry.lastElementChild.id}`);
      reveal();
    }
  });
  document.querySelector("nav").prepend(
    make("div", { class: "find", role: "search" }, make("label", { for: "find" }, "Find by name"), find, count),
  );

  // --- Requests, as HTTP has them

  const read = (text) => {
    const [head, ...rest] = text.replaceAll("\r\n", "\n").split("\n\n");
    const [first, ...lines] = head.trim().split("\n");
    const [, method, address] = /^([A-Za-z]+) +(\/\S*)$/.exec(first.trim()) ?? [];
    if (!method) throw new Error("The first line is a method and an address here, such as GET /v1/events");
    const headers = lines.map((line) => {
      const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+): *(.*)$/.exec(line.trim()) ?? [];
      if (!name) throw new Error(`A header is a name, a colon and a value, not ${line}`);
      return [name, value];
    });
    return { method: method.toUpperCase(), address, headers, body: rest.join("\n\n").trim() };
  };

  const quoted = (text) => /\$(KEY|ETAG|ID)\b/.test(text)
    ? `"${text.replace(/["\\`]/g, "\\$&")}"`
    : `'${text.replaceAll("'", "'\\''")}'`;

  const command = ({ method, address, headers, body }, lookup) => {
    const here = location.origin;
    const lines = [];
    if (address.includes("$ID")) lines.push(`ID=$(curl -s '${here}${lookup}' | grep -oE '[0-9a-f-]{36}')`);
    if (headers.some(([, value]) => value.includes("$ETAG"))) {
      lines.push(`ETAG=$(curl -s -o /dev/null -w '%header{etag}' ${quoted(here + address)})`);
    }
    const parts = [`curl ${method === "GET" ? "" : `-X ${method} `}${quoted(here + address)}`];
    parts.push(...headers.map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`));
    if (body) parts.push(`--data-binary @- <<'BODY'\n${body}\nBODY`);
    return [...lines, parts.join(" \\\n  ")].join("\n");
  };

  // To this service and no other, with nothing that the browser would add of its own.
  const send = async (method, address, headers = [], body = "") => {
    const target = new URL(address, location.origin);
    if (target.origin !== location.origin) throw new Error("Requests go to this service alone.");
    return fetch(target, {
      method, headers, body: body || undefined, credentials: "omit", cache: "no-store", referrerPolicy: "no-referrer",
    });
  };

  // What is to be found when the request is made. The key is filled in last, so that nothing else can carry it.
  const settled = async ({ method, address, headers, body }, lookup) => {
    if (address.includes("$ID")) {
      const { items } = await (await send("GET", lookup)).json();
      if (!items?.length) throw new Error("The dossier's event is not here: put an id in the place of $ID.");
      address = address.replaceAll("$ID", items[0].id);
    }
    const filled = ([name, value]) => [name, value.replaceAll("$KEY", key)];
    if (headers.some(([, value]) => value.includes("$ETAG"))) {
      const known = headers.filter(([name]) => name.toLowerCase() === "authorization").map(filled);
      const tag = (await send("GET", address, known)).headers.get("ETag");
      if (!tag) throw new Error("There is nothing at this address whose tag could stand for $ETAG.");
      headers = headers.map(([name, value]) => [name, value.replaceAll("$ETAG", tag)]);
    }
    return { method, address, headers: headers.map(filled), body };
  };

  // --- Nothing is written, and no key used, without being asked

  const secret = make("input", { id: "key", class: "secret", autocomplete: "off", spellcheck: "false",
    autocapitalize: "off" });
  const question = make("p");
  const asking = make("dialog", { "aria-labelledby": "asked" });
  const yes = make("button", { class: "run" }, "Send it");
  const forget = button("Forget the key", () => {
    key = secret.value = "";
    forget.hidden = true;
    secret.focus();
  });
  const keyed = make("div", {}, make("label", { for: "key" }, "Key"), secret,
    make("p", { class: "soft" }, "Kept in the memory of this page until it is left, and sent only where a request says ",
      make("code", {}, "$KEY"), "."));
  asking.append(make("form", { onsubmit: (event) => { event.preventDefault(); asking.close("yes"); } },
    make("h2", { id: "asked" }, "Send this request?"), question,
    keyed, make("div", { class: "doing" }, yes, button("Cancel", () => asking.close("")), forget)));
  document.body.append(asking);
  addEventListener("pagehide", () => { key = secret.value = ""; });

  const allowed = (request, secretly) => new Promise((resolve) => {
    const writes = !READING.includes(request.method);
    question.textContent = `${request.method} ${request.address} ${writes ? "writes to" : "asks"} ${location.host}.`;
    secret.value = key;
    secret.required = secretly;
    keyed.hidden = !secretly;
    forget.hidden = !secretly || !key;
    asking.returnValue = "";
    asking.addEventListener("close", () => {
      if (asking.returnValue && secretly) key = secret.value.trim();
      secret.value = "";
      resolve(Boolean(asking.returnValue));
    }, { once: true });
    asking.showModal();
    (secretly && !key ? secret : yes).focus();
  });

  // --- JSON, laid out from its very characters, so that no number is rounded

  const tree = (text) => {
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? [];
    let place = 0;
    const value = () => {
      const token = tokens[place++];
      if (token !== "{" && token !== "[") return { token, length: token.length };
      const node = { open: token, close: token === "{" ? "}" : "]", members: [], length: 2 };
      while (place < tokens.length && tokens[place] !== node.close) {
        const name = token === "{" ? tokens[place] : null;
        if (name !== null) place += 2;
        const inner = value();
        node.members.push([name, inner]);
        node.length += inner.length + (name === null ? 0 : name.length + 2) + 2;
        if (tokens[place] === ",") place++;
      }
      place++;
      return node;
    };
    return value();
  };

  const lay = (into, node, indent) => {
    const leaf = (token, kind) => into.append(make("span", { class: kind }, token));
    if (!node.open) return leaf(node.token, node.token.startsWith('"') ? "text" : "word");
    const long = node.length + indent.length > LINE_MAX && node.members.length > 0;
    const inner = long ? `${indent}  ` : indent;
    into.append(node.open);
    node.members.forEach(([name, each], number) => {
      if (number) into.append(long ? "," : ", ");
      if (long) into.append(`\n${inner}`);
      if (name !== null) {
        leaf(name, "name");
        into.append(": ");
      }
      lay(into, each, inner);
    });
    into.append(long ? `\n${indent}${node.close}` : node.close);
  };

  const laid = (text, mediaType) => {
    const into = make("code");
    if (/[/+]json$/.test(mediaType) && text.length <= SHOWN_MAX) lay(into, tree(text), "");
    else into.append(text.slice(0, SHOWN_MAX));
    return into;
  };

  // --- A request is edited and made where it is shown

  const sized = (length) => length < 1000 ? `${length} B` : `${(length / 1000).toFixed(1)} kB`;

  const summed = (response, text, milliseconds) => {
    const long = text.length > SHOWN_MAX ? `, of which the first ${sized(SHOWN_MAX)} are shown` : "";
    const moved = response.redirected ? `, redirected to ${new URL(response.url).pathname}` : "";
    const size = sized(new TextEncoder().encode(text).length);
    return [
      make("b", { class: response.ok || response.status === 304 ? "good" : "bad" },
        `${response.status} ${response.statusText}`),
      ` in ${Math.round(milliseconds)} ms, ${size}${long}${moved}`,
    ];
  };

  const answered = (request, response, text, again) => {
    const mediaType = (response.headers.get("Content-Type") ?? "").split(";")[0];
    const told = TOLD.filter((name) => response.headers.has(name));
    const next = /<([^>]+)>; *rel="?next"?/.exec(response.headers.get("Link") ?? "")?.[1];
    const tag = response.headers.get("ETag");
    const on = [];
    if (next) {
      const { pathname, search } = new URL(next);
      on.push(button("Next page", () => again({ ...request, address: pathname + search })));
    }
    if (text && mediaType === "application/problem+json") {
      const { type } = JSON.parse(text);
      if (type?.startsWith("/problems/")) on.push(make("a", { href: type }, "What this kind of problem means"));
    }
    if (tag && request.method === "GET" && response.status === 200) {
      const others = request.headers.filter(([name]) => name.toLowerCase() !== "if-none-match");
      on.push(button("Ask whether it changed", () => again({ ...request, headers: [...others, ["If-None-Match", tag]] })));
    }
    return [
      make("dl", {}, ...told.map((name) => make("div", {}, make("dt", {}, name),
        make("dd", {}, response.headers.get(name))))),
      text ? make("pre", { tabindex: "0", role: "region", "aria-label": "Body of the answer" }, laid(text, mediaType)) : "",
      make("div", { class: "doing" }, ...on),
    ];
  };

  const begin = (block) => {
    const original = block.dataset.request;
    const { lookup = "/v1/events?limit=1&fields=id" } = block.dataset;
    const title = block.querySelector("b")?.textContent ?? "";
    const shell = block.querySelector("pre");
    const area = make("textarea", { class: "request", spellcheck: "false", autocomplete: "off", autocapitalize: "off",
      rows: "1", "aria-label": `Request${title && `: ${title}`}` });
    const status = make("p", { class: "told", role: "status" });
    const answer = make("div", { class: "answer" });
    const reset = button("Reset", () => { area.value = original; changed(); area.focus(); }, { hidden: true });
    let asked = 0;

    const fit = () => {
      area.style.height = "auto";
      area.style.height = `${area.scrollHeight + 2}px`;
    };
    const changed = () => {
      fit();
      reset.hidden = area.value === original;
      try {
        shell.textContent = command(read(area.value), lookup);
        status.textContent = "";
      } catch (error) {
        status.textContent = error.message;
      }
    };
    const again = ({ method, address, headers, body }) => {
      const lines = [`${method} ${address}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
      area.value = (body ? [...lines, "", body] : lines).join("\n");
      changed();
      area.focus();
      run();
    };
    const run = async () => {
      const turn = ++asked;
      try {
        const request = read(area.value);
        const secretly = area.value.includes("$KEY");
        if ((secretly || !READING.includes(request.method)) && !(await allowed(request, secretly))) return;
        status.textContent = "Asking …";
        const { method, address, headers, body } = await settled(request, lookup);
        const began = performance.now();
        const response = await send(method, address, headers, body);
        const text = await response.text();
        const milliseconds = performance.now() - began;
        if (turn !== asked) return;
        answer.replaceChildren(...answered(request, response, text, again));
        status.replaceChildren(...summed(response, text, milliseconds));
      } catch (error) {
        if (turn !== asked) return;
        answer.replaceChildren();
        status.textContent = error instanceof TypeError ? "The service did not answer, or this is no request that a "
          + `browser makes (${error.message}).` : error.message;
      }
    };

    area.value = original;
    area.addEventListener("input", changed);
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
    });
    const unfold = button("As curl", () => {
      shell.hidden = !shell.hidden;
      unfold.setAttribute("aria-expanded", String(!shell.hidden));
    }, { class: "lesser", "aria-expanded": "false" });
    const copy = button("Copy as curl", async () => {
      await navigator.clipboard.writeText(shell.textContent);
      status.textContent = "Copied.";
    }, { class: "lesser" });
    shell.hidden = true;
    shell.before(area, make("div", { class: "doing" },
      button("Run", run, { class: "run", title: "Ctrl+Enter in the request" }), reset, unfold,
      ...(navigator.clipboard ? [copy] : [])));
    shell.after(status, answer);
    block.closest("details").addEventListener("toggle", fit);
    return { area, changed };
  };

  // A parameter's button puts it into the request that was last edited, or selects it there.
  const add = (text, { area, changed }) => {
    const header = /^[\w-]+: /.test(text);
    const [name] = text.split(header ? ": " : "=", 1);
    const lines = area.value.split("\n");
    const end = lines.indexOf("");
    const known = new RegExp(header ? `^${name}: *` : `[?&]${name}=`, header ? "im" : "");
    const found = known.exec(header ? area.value : lines[0]);
    let start = found ? found.index + found[0].length : 0;
    let length = found ? (header ? /^.*/ : /^[^&\s]*/).exec(area.value.slice(start))[0].length : 0;
    if (!found) {
      const value = header ? text.slice(name.length + 2) : encodeURIComponent(text.slice(name.length + 1));
      if (header) lines.splice(end < 0 ? lines.length : end, 0, text);
      else lines[0] += `${lines[0].includes("?") ? "&" : "?"}${name}=${value}`;
      area.value = lines.join("\n");
      start = header ? lines.slice(0, lines.indexOf(text) + 1).join("\n").length - value.length : lines[0].length - value.length;
      length = value.length;
      changed();
    }
    area.focus();
    area.setSelectionRange(start, start + length);
  };

  for (const entry of all("details.entry:has(.try)")) {
    const blocks = all(".try", entry).map(begin);
    let latest = blocks[0];
    for (const each of blocks) each.area.addEventListener("focus", () => { latest = each; });
    for (const row of all("[data-add]", entry)) {
      const [name] = row.dataset.add.split(/[=:]/, 1);
      (row.cells?.[0] ?? row).prepend(button("+", () => add(row.dataset.add, latest),
        { class: "add", "aria-label": `Put ${name} into the request`, title: "Put it into the request" }));
    }
  }

  // --- On paper: what is unfolded, or else everything

  let unfolded = [];
  addEventListener("beforeprint", () => {
    if (!document.querySelector("details.entry[open]:not([hidden])")) unfolded = all("details.entry:not([hidden])");
    for (const entry of unfolded) entry.open = true;
  });
  addEventListener("afterprint", () => {
    for (const entry of unfolded) entry.open = false;
    unfolded = [];
  });

  // Not before: the browser's own way to the target takes the focus from it.
  if (location.hash) addEventListener("load", reveal);
})();

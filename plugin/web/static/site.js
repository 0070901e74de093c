// What the editor says of a query while it is being typed. Without this the form works by its buttons.
"use strict";

const form = document.querySelector("form.editor");
const box = form.elements.query;
const verdict = document.getElementById("verdict");
const words = verdict.dataset;
const token = document.querySelector("meta[name=csrf-token]").content;
const QUIET_MS = 250; // after the last key
const COUNT_MS = 700;

let timer = null;
let counter = null;
let asking = null;

async function ask(query, wanted = {}) {
  asking?.abort();
  asking = new AbortController();
  const body = new URLSearchParams({ query, segment: form.dataset.segment, on: form.elements.on.value, ...wanted });
  if (form.elements.rewards.checked) body.set("rewards", "yes");
  const answer = await fetch(form.dataset.check, {
    method: "POST",
    headers: { "X-CSRFToken": token },
    body,
    signal: asking.signal,
  });
  if (!answer.ok) throw new Error(answer.status);
  return answer.json();
}

function element(name, text, kind) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function use(query, error) {
  const letters = Array.from(query); // places count code points, as Array.from does
  letters.splice(error.start, error.end - error.start, error.suggestion);
  box.value = letters.join("");
  box.focus();
  look();
}

function underlined(query, errors) {
  const letters = Array.from(query);
  const shown = element("pre", undefined, "query");
  shown.setAttribute("aria-hidden", "true");
  let at = 0;
  for (const { start, end } of errors) {
    const from = Math.max(at, start);
    const to = Math.max(end, start + 1);
    if (from >= to) continue;
    shown.append(letters.slice(at, from).join(""), element("mark", letters.slice(from, to).join("") || " "));
    at = to;
  }
  shown.append(letters.slice(at).join(""));
  return shown;
}

function fault(query, error) { // or a hint: both may say what was meant
  const item = element("li", error.message);
  if (error.suggestion !== null) {
    const button = element("button", words.use.replace("{text}", () => error.suggestion), "small");
    button.type = "button";
    button.addEventListener("click", () => use(query, error));
    item.append(" ", button);
  }
  return item;
}

function advice(query, hints) {
  if (!hints.length) return [];
  const list = element("ul", undefined, "faults");
  list.append(...hints.map((hint) => fault(query, hint)));
  return [list];
}

async function copy(shown, button) {
  try {
    await navigator.clipboard.writeText(shown.textContent);
    button.textContent = words.copied;
  } catch { // not allowed here, as in another site's frame: it is then one key away
    getSelection().selectAllChildren(shown);
  }
}

function inShopify(shopify) {
  const box = element("details");
  box.open = verdict.querySelector("details")?.open ?? false;
  box.append(element("summary", words.shopify));
  if (shopify.ok) {
    const shown = element("pre", shopify.text, "query");
    const button = element("button", words.copy, "small");
    button.type = "button";
    button.addEventListener("click", () => copy(shown, button));
    box.append(shown, button);
  } else {
    const list = element("ul");
    list.append(...shopify.reasons.map((reason) => element("li", reason.message)));
    box.append(element("p", words.cannot), list);
  }
  return box;
}

function cells(kind, made) {
  const row = element("tr");
  row.setAttribute("role", "row");
  for (const cell of made) {
    cell.setAttribute("role", kind);
    row.append(cell);
  }
  return row;
}

function figure(number, label) {
  const cell = element("td", grouped(number), "figure");
  cell.dataset.label = label;
  return cell;
}

function table(lines) {
  const made = element("table");
  const head = element("thead");
  const body = element("tbody");
  head.append(cells("columnheader", [element("th", words.part), element("th", words.alone, "figure"), element("th", words.soFar, "figure")]));
  for (const line of lines) {
    const part = element("td", undefined, `who depth-${Math.min(line.depth, 4)}`);
    part.append(element("span", words[line.joint ?? "not"], "quiet"), " ", element("code", line.text));
    body.append(cells("cell", [part, figure(line.alone, words.alone), figure(line.so_far, words.soFar)]));
  }
  made.setAttribute("role", "table");
  for (const group of [head, body]) group.setAttribute("role", "rowgroup");
  made.append(head, body);
  return made;
}

function grouped(number) {
  return number.toLocaleString(document.documentElement.lang);
}

function said(checked) {
  if (checked.count === null) return [words.fits, words.counting].join(" ");
  if (!checked.rest) return [words.fits, (checked.then ? words.then : words.count).replace("{count}", grouped(checked.count))].join(" ");
  return [words.counting, words.soFarOf.replace("{count}", grouped(checked.count)).replace("{seen}", grouped(checked.rest.seen)).replace("{of}", grouped(checked.rest.of))].join(" ");
}

function bar(rest) {
  const made = element("progress");
  made.value = rest.seen;
  made.max = Math.max(rest.of, rest.seen);
  return made;
}

function asOf(then) {
  const text = words.day.replace("{day}", then.day);
  return element("p", then.as_today ? `${text} ${words.asToday}` : text, "notice warning");
}

function show(query, checked) {
  if (checked.ok) {
    verdict.replaceChildren(
      ...(checked.then ? [asOf(checked.then)] : []),
      element("p", said(checked), "good"),
      ...(checked.rest ? [bar(checked.rest)] : []),
      ...advice(query, checked.hints),
      inShopify(checked.shopify),
    );
    return;
  }
  const list = element("ul", undefined, "faults");
  list.append(...checked.errors.map((error) => fault(query, error)));
  verdict.replaceChildren(underlined(query, checked.errors), list);
}

async function look() {
  clearTimeout(timer);
  clearTimeout(counter);
  const query = box.value;
  if (!query.trim()) {
    asking?.abort();
    verdict.replaceChildren();
    return;
  }
  try {
    const checked = await ask(query);
    show(query, checked);
    if (checked.ok) counter = setTimeout(() => count(query), COUNT_MS);
  } catch (error) {
    if (error.name !== "AbortError") verdict.replaceChildren(element("p", words.silent));
  }
}

function together(before, answer) { // what two answers say of different customers
  if (!before) return answer;
  const rest = answer.rest && { ...answer.rest, seen: before.rest.seen + answer.rest.seen };
  const clauses = answer.clauses?.map((line, number) => ({
    ...line,
    alone: before.clauses[number].alone + line.alone,
    so_far: before.clauses[number].so_far + line.so_far,
  }));
  return { ...before, rest, clauses, count: before.count + answer.count };
}

async function gather(query, wanted, see) { // one answer after the other, until all customers are counted
  let found = null;
  do {
    const answer = await ask(query, found ? { ...wanted, after: found.rest.after } : wanted);
    if (answer.ok && answer.count === null) {
      await new Promise((resolve) => { counter = setTimeout(resolve, 2 * COUNT_MS); }); // others are counting
      continue;
    }
    found = together(found, answer);
    see(found);
  } while (!found || found.rest);
}

async function count(query) {
  try {
    let checked = null;
    await gather(query, { count: "1" }, (found) => show(query, checked = found));
    if (checked.ok && !checked.then) await budget(query, checked.count);
    if (checked.ok) await countClauses(query);
  } catch (error) {
    if (error.name !== "AbortError") verdict.replaceChildren(element("p", words.fits, "good"));
  }
}

async function budget(query, count) { // what a release to as many would cost
  try {
    const answer = await fetch(`${form.dataset.budget}${form.dataset.budget.includes("?") ? "&" : "?"}count=${count}`);
    if (!answer.ok) return;
    const { lines } = await answer.json();
    if (box.value !== query || !lines.length) return; // something else has been written meanwhile
    const list = element("ul", undefined, "quiet");
    list.append(...lines.map((line) => element("li", line)));
    verdict.append(element("p", words.budgetOf, "quiet"), list);
  } catch {
    // the count stands there all the same
  }
}

async function countClauses(query) {
  let shown = null;
  try {
    await gather(query, { count: "1", clauses: "1" }, ({ clauses, rest }) => {
      shown?.remove();
      if (!clauses) return;
      shown = element("div");
      shown.append(table(clauses), ...(rest ? [bar(rest)] : []));
      verdict.append(shown);
    });
  } catch {
    // the count stands there all the same
  }
}

form.elements.rewards.addEventListener("change", look);
form.elements.on.addEventListener("change", look);
box.addEventListener("input", () => {
  asking?.abort(); // nobody needs that count any more
  clearTimeout(timer);
  clearTimeout(counter);
  timer = setTimeout(look, QUIET_MS);
});

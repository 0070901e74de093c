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

async function ask(query, ...wanted) {
  asking?.abort();
  asking = new AbortController();
  const body = new URLSearchParams({ query, segment: form.dataset.segment });
  for (const name of wanted) body.set(name, "1");
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
  const cell = element("td", number.toLocaleString(document.documentElement.lang), "figure");
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

function show(query, checked) {
  if (checked.ok) {
    const said = checked.count === null ? words.counting : words.count.replace("{count}", checked.count.toLocaleString(document.documentElement.lang));
    verdict.replaceChildren(element("p", `${words.fits} ${said}`, "good"), ...advice(query, checked.hints), inShopify(checked.shopify));
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

async function count(query) {
  try {
    const checked = await ask(query, "count");
    if (checked.ok && checked.count === null) {
      counter = setTimeout(() => count(query), 2 * COUNT_MS); // others are counting
      return;
    }
    show(query, checked);
    if (checked.ok) await countClauses(query);
  } catch (error) {
    if (error.name !== "AbortError") verdict.replaceChildren(element("p", words.fits, "good"));
  }
}

async function countClauses(query) {
  try {
    const { clauses } = await ask(query, "clauses");
    if (clauses) verdict.append(table(clauses));
  } catch {
    // the count stands there all the same
  }
}

form.elements.rewards.addEventListener("change", look);
box.addEventListener("input", () => {
  clearTimeout(timer);
  clearTimeout(counter);
  timer = setTimeout(look, QUIET_MS);
});

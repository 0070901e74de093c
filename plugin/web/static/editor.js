// The editor of a segment: builder and text side by side, both drawn by the server from one query. Without this the form
// works by its buttons.

import { Builder } from "./builder.js";
import { put } from "./parts.js";
import { Listbox } from "./listbox.js";
import { fitting, offered } from "./offers.js";
import { boxAt, errorAt, replaced, underline } from "./underlines.js";

const QUIET_MS = 250; // after the last key
const COUNT_MS = 700; // before a count begins
const BUSY_MS = 1500; // while others are counting
const MOST_OFFERS = 8;

const find = (id) => document.getElementById(id);
const form = find("editor");
const box = form.elements.query;
const verdict = find("verdict");
const words = verdict.dataset;
const token = document.querySelector("meta[name=csrf-token]").content;
const offers = new Listbox(find("offers"));
const past = { texts: [box.value], at: 0 };

let errors = [];
let language = null;
let timer = null;
let asking = null;
let ownName = Boolean(form.dataset.segment || form.elements.name.value);

// Asking the server.

async function post(address, fields, signal) {
  const body = new URLSearchParams(fields);
  body.set("segment", form.dataset.segment);
  body.set("on", form.elements.on.value);
  if (form.elements.rewards.checked) body.set("rewards", "yes");
  const answer = await fetch(address, { method: "POST", headers: { "X-CSRFToken": token }, body, signal });
  if (!answer.ok) throw new Error(answer.status);
  return answer;
}

// Ask about the text, or about the rows of the builder, step by step until there is nothing more to ask.
async function look(fields = { query: box.value }, redraw = true) {
  stop();
  const here = (asking = new AbortController());
  verdict.ariaBusy = "true";
  try {
    const answer = await (await post(form.dataset.check, fields, here.signal)).json();
    if (here.signal.aborted) return null;
    await settle(answer, redraw);
    for (let next = answer.next; next; ) {
      await pause(next.wait ? BUSY_MS : next.step === "count" && !next.after ? COUNT_MS : 0, here.signal);
      const more = await (await post(form.dataset.check, { ...next, query: answer.query }, here.signal)).json();
      await draw(more.verdict);
      next = more.next;
    }
    find("status").textContent = verdict.querySelector(".count")?.textContent ?? "";
    verdict.ariaBusy = "false";
    return answer;
  } catch (error) {
    if (error.name !== "AbortError") verdict.textContent = words.silent;
    return null;
  }
}

function stop() {
  clearTimeout(timer);
  asking?.abort(); // nobody needs that count any more
}

function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const waiting = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(waiting);
      reject(new DOMException("", "AbortError"));
    });
  });
}

function later(fields, redraw) {
  stop();
  timer = setTimeout(() => look(fields?.(), redraw), QUIET_MS);
}

// Showing what it says.

async function settle(answer, redraw) {
  if (box.value !== answer.query) box.value = answer.query;
  remember(answer.query);
  errors = answer.errors;
  underline(find("under"), box.value, errors);
  await draw(answer.verdict);
  if (errors.length) find("status").textContent = errors[0].message;
  const blank = !box.value.trim();
  find("begin").hidden = !blank;
  find("unread").hidden = answer.builder !== null;
  find("comments").hidden = !answer.commented;
  await builder.settle(answer.builder, redraw);
  if (!ownName && form.elements.name.value !== answer.name) {
    form.elements.name.value = answer.name;
    proposeTag();
  }
  if (document.activeElement === box && errors.length) offer();
}

async function draw(html) {
  const open = find("shopify")?.open;
  const focused = verdict.contains(document.activeElement) ? document.activeElement.textContent : null;
  await put(verdict, html);
  if (open) find("shopify")?.setAttribute("open", "");
  if (focused) [...verdict.querySelectorAll("button, a, summary")].find((one) => one.textContent === focused)?.focus();
}

function use(suggestion) {
  box.value = replaced(box.value, suggestion);
  box.focus();
  look();
}

function suggestionOf(button) {
  return { start: Number(button.dataset.start), end: Number(button.dataset.end), suggestion: button.dataset.text };
}

// Undo and redo: every text that was looked at, whichever side it came from.

function remember(text) {
  if (text === past.texts[past.at]) return;
  past.texts.splice(past.at + 1, Infinity, text);
  past.at = past.texts.length - 1;
  drawPast();
}

function travel(step) {
  past.at += step;
  box.value = past.texts[past.at];
  drawPast();
  look();
}

function drawPast() {
  find("undo").disabled = past.at === 0;
  find("redo").disabled = past.at === past.texts.length - 1;
}

// What may follow in the text.

async function offer() {
  const before = box.value.slice(0, box.selectionStart);
  const wrong = errorAt(box.value, errors, box.selectionStart);
  if (wrong?.suggestion) {
    return offers.show(box, [{ text: wrong.suggestion, detail: wrong.message }], () => use(wrong), { place: cursor(0), first: true });
  }
  language ??= await (await fetch(form.dataset.names)).json();
  const { options, typed, of } = offered(language, before);
  const own = of ? (await valuesOf(of, typed)).map(({ written, value, label }) => ({ text: written, detail: label === value ? "" : label })) : [];
  if (box.value.slice(0, box.selectionStart) !== before || document.activeElement !== box) return;
  const found = fitting(own.length ? own : options, typed).slice(0, MOST_OFFERS);
  offers.show(box, found, (option) => take(option, before.length - typed.length), { place: cursor(typed.length), first: Boolean(typed) });
  if (found.length) find("status").textContent = words.offered.replace("{count}", found.length);
}

const known = new Map();

async function valuesOf({ name, parameter }, typed) {
  const address = new URL(form.dataset.values, location.href);
  for (const [key, value] of Object.entries({ name, parameter, like: typed.replace(/^'/, "") })) address.searchParams.set(key, value);
  if (!known.has(address.href)) {
    const answer = await fetch(address);
    if (!answer.ok) return [];
    known.set(address.href, await answer.json());
  }
  return known.get(address.href);
}

function cursor(back) {
  underline(find("under"), box.value, errors);
  return boxAt(find("under"), box.selectionStart - back);
}

async function take(option, from) {
  if (option.href) return location.assign(option.href); // a template: it brings its name along
  box.setRangeText(`${option.text} `, from, box.selectionStart, "end");
  box.focus();
  errors = [];
  later();
  offer();
}

// Name and tag.

async function proposeTag() {
  if (form.dataset.segment) return;
  const address = new URL(form.dataset.tag, location.href);
  address.searchParams.set("name", form.elements.name.value);
  const answer = await fetch(address);
  if (answer.ok) form.elements.tag.placeholder = (await answer.json()).tag;
}

async function test(button) {
  button.disabled = true;
  find("tested").ariaBusy = "true";
  try {
    await put(find("tested"), await (await post(form.dataset.backtest, { query: box.value })).text());
  } catch {
    find("tested").textContent = words.silent;
  }
  find("tested").ariaBusy = "false";
  button.disabled = false;
}

const builder = new Builder(find("builder"), { ask: look, askLater: later });

document.documentElement.classList.add("scripted");
for (const id of ["building-side", "switch", "keys"]) find(id).hidden = false;
underline(find("under"), box.value, errors);

box.addEventListener("input", () => {
  errors = [];
  underline(find("under"), box.value, errors);
  later();
  offer();
});
box.addEventListener("click", offer);
box.addEventListener("blur", () => offers.hide());
box.addEventListener("keydown", (event) => {
  if (!offers.key(event) && /^Arrow(Left|Right)$|^Home$|^End$/.test(event.key)) requestAnimationFrame(offer);
});
document.addEventListener("keydown", (event) => {
  const first = verdict.querySelector("[data-first]");
  if ((event.key === "F8" || (event.key === "." && (event.ctrlKey || event.metaKey))) && first) {
    event.preventDefault();
    use(suggestionOf(first));
  }
});
form.elements.rewards.addEventListener("change", () => look());
form.elements.on.addEventListener("change", () => look());
form.elements.name.addEventListener("input", () => {
  ownName = form.elements.name.value !== "";
  clearTimeout(proposeTag.timer);
  proposeTag.timer = setTimeout(proposeTag, QUIET_MS);
});
find("undo").addEventListener("click", () => travel(-1));
find("redo").addEventListener("click", () => travel(1));
form.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.name === "apply") use(suggestionOf(button));
  else if (button?.value === "backtest") test(button);
  else return;
  event.preventDefault();
});
form.addEventListener("keydown", (event) => {
  const builderField = event.target.closest("#builder input");
  if (event.key === "Enter" && builderField) event.preventDefault(); // it would save
});
if (box.value.trim()) look();
else proposeTag();

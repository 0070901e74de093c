// What may follow in the editor's box: names, operators, values, parameters in MATCHES (…), other segments, AND and OR.
"use strict";

const MOST_OFFERS = 8;
const TOKEN = /'(?:[^'\\]|\\.)*'|[=!<>]+|[(),]|[^\s'=!<>(),]+/g;
const OPERATORS = /^(?:[=!<>]+|CONTAINS|WITH|IN|BETWEEN|SEGMENT)$/i;
const VALUE = /^(?:'.*'|[-+]?\d\S*|today|yesterday|true|false|NULL|\))$/is;
const offers = document.getElementById("offers");
let language = null;

// The words before the cursor, and what has been typed of the next one.
function parted(before) {
  const [ended] = /^(?:[^']|'(?:[^'\\]|\\.)*')*/.exec(before); // up to a text in quotes that has not ended
  const typed = before.slice(ended.length) || /[\w.-]*$/.exec(before)[0];
  return [before.slice(0, before.length - typed.length).match(TOKEN) ?? [], typed];
}

function offered(before) {
  const [said, typed] = parted(before);
  const [last, one, two, three] = [1, 2, 3, 4].map((back) => said.at(-back) ?? "");
  const asked = inside(said);
  const rows = asked ? asked.parameters : language.names;
  const named = (name) => rows.find((row) => row.name === name);
  if (/^SEGMENT$/i.test(last)) return [language.segments, typed];
  const ranging = /^AND$/i.test(last) && /^BETWEEN$/i.test(two) && named(three);
  if (ranging || OPERATORS.test(last)) {
    const row = ranging || [one, two, three].map(named).find((found) => found);
    return [row ? row.examples : /^IN$/i.test(last) ? ["SEGMENT"] : [], typed];
  }
  if (named(last)) return [named(last).operators.map((word) => (word === "MATCHES" ? "MATCHES (" : word)), typed];
  if (VALUE.test(last)) return [asked || typed.startsWith("'") ? [] : language.joining, typed];
  if (asked) return [rows.map((row) => row.name), typed];
  return [typed ? [...rows.map((row) => row.name), ...language.beginning] : [], typed];
}

function inside(said) { // the function in whose MATCHES (…) the cursor stands
  let depth = 0;
  for (let at = said.length - 1; at > 0; at--) {
    if (said[at] === ")") depth++;
    if (said[at] === "(" && depth-- === 0) {
      if (!/^MATCHES$/i.test(said[at - 1])) return null;
      const name = /^NOT$/i.test(said[at - 2]) ? said[at - 3] : said[at - 2];
      return language.names.find((row) => row.name === name) ?? null;
    }
  }
  return null;
}

function offer() {
  const before = box.value.slice(0, box.selectionStart);
  const [texts, typed] = language ? offered(before) : [[], ""];
  const fitting = texts.filter((text) => text !== typed && text.toLowerCase().includes(typed.toLowerCase()));
  offers.replaceChildren(...fitting.slice(0, MOST_OFFERS).map((text) => {
    const button = element("button", text, "small");
    button.type = "button";
    button.addEventListener("click", () => {
      box.setRangeText(`${text} `, before.length - typed.length, before.length, "end");
      box.focus();
      offer();
      look();
    });
    return button;
  }));
}

box.addEventListener("focus", async () => {
  if (language) return;
  try {
    const answer = await fetch(form.dataset.names);
    if (answer.ok) language = await answer.json();
  } catch {} // without it nothing is offered
});
for (const moved of ["input", "click", "keyup"]) box.addEventListener(moved, offer);

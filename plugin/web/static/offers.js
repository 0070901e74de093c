// What may follow in the editor's box, from the table of names: names, operators, values, parameters in MATCHES (…).
"use strict";

const MOST_OFFERS = 8;
const offers = document.getElementById("offers");
let names = null;

function offered(before) {
  const asked = /([\w.]+)\s+(?:NOT\s+)?MATCHES\s*\([^()]*$/i.exec(before);
  const rows = asked ? names.find((row) => row.name === asked[1])?.parameters ?? [] : names;
  const [, name, operator, typed] = /(?:([\w.-]+)\s+)?(?:([=!<>]+|(?:NOT\s+)?CONTAINS|STARTS\s+WITH)\s*)?('?[\w.-]*)$/i.exec(before);
  const row = name && rows.find((one) => one.name === name);
  if (row && operator) return [row.examples, typed];
  if (row) return [row.operators.map((one) => (one === "MATCHES" ? "MATCHES (" : one)), typed];
  return [typed || asked ? rows.map((one) => one.name) : [], typed];
}

function offer() {
  const before = box.value.slice(0, box.selectionStart);
  const [texts, typed] = names ? offered(before) : [[], ""];
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
  if (names) return;
  try {
    const answer = await fetch(form.dataset.names);
    if (answer.ok) names = await answer.json();
  } catch {} // without it nothing is offered
});
for (const moved of ["input", "click", "keyup"]) box.addEventListener(moved, offer);

// What may follow in a query: names, operators, values, parameters in MATCHES (…), other segments, AND and OR.

const TOKEN = /'(?:[^'\\]|\\.)*'|[=!<>]+|[(),]|[^\s'=!<>(),]+/g;
const OPERATORS = /^(?:[=!<>]+|CONTAINS|WITH|IN|BETWEEN|SEGMENT)$/i;
const VALUE = /^(?:'.*'|[-+]?\d\S*|today|yesterday|true|false|NULL|\))$/is;

// The words before the cursor, and what has been typed of the next one.
function parted(before) {
  const [ended] = /^(?:[^']|'(?:[^'\\]|\\.)*')*/.exec(before); // up to a text in quotes that has not ended
  const typed = before.slice(ended.length) || /[\w.-]*$/.exec(before)[0];
  return [before.slice(0, before.length - typed.length).match(TOKEN) ?? [], typed];
}

const plain = (words) => words.map((text) => ({ text }));
const told = (rows) => rows.map(({ name, sentence }) => ({ text: name, detail: sentence }));

// What may follow a text by what the shop's queries may use: options, what they go on from, and of which name (and
// parameter) the shop's own values may follow as well.
export function offered(language, before) {
  const [said, typed] = parted(before);
  const [last, one, two, three] = [1, 2, 3, 4].map((back) => said.at(-back) ?? "");
  const asked = inside(said, language);
  const rows = asked ? asked.parameters : language.names;
  const named = (name) => rows.find((row) => row.name === name);
  if (/^SEGMENT$/i.test(last)) return { options: plain(language.segments), typed };
  const ranging = /^AND$/i.test(last) && /^BETWEEN$/i.test(two) && named(three);
  const listing = last === "," && !asked && listed(said, named);
  if (ranging || listing || OPERATORS.test(last) || (last === "(" && /^IN$/i.test(one))) {
    const row = ranging || listing || [one, two, three].map(named).find((found) => found);
    if (!row) return { options: plain(/^IN$/i.test(last) ? ["SEGMENT"] : []), typed };
    const of = row.chosen ? { name: asked?.name ?? row.name, parameter: asked ? row.name : "" } : null;
    return { options: plain(row.examples), typed, of };
  }
  if (named(last)) return { options: plain(named(last).operators.map((word) => (word === "MATCHES" ? "MATCHES (" : word))), typed };
  if (VALUE.test(last)) return { options: plain(asked || typed.startsWith("'") ? [] : language.joining), typed };
  if (asked) return { options: told(rows), typed };
  if (!before.trim()) return { options: language.templates ?? [], typed };
  return { options: typed ? [...told(rows), ...plain(language.beginning)] : [], typed };
}

// The name in whose IN (…) the cursor stands.
function listed(said, named) {
  const open = said.lastIndexOf("(");
  const behind = said.lastIndexOf(")");
  if (open < 0 || behind > open || !/^IN$/i.test(said[open - 1])) return null;
  return named(/^NOT$/i.test(said[open - 2]) ? said[open - 3] : said[open - 2]);
}

// The function in whose MATCHES (…) the cursor stands.
function inside(said, language) {
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

// The options that what was typed may become.
export function fitting(options, typed) {
  const like = typed.replace(/^'/, "").toLowerCase();
  return options.filter(({ text, detail }) => text !== typed && `${text} ${detail ?? ""}`.toLowerCase().includes(like));
}

// What is wrong in a text field, underlined in a copy of its text that lies behind it; and where in it the cursor stands.
// Places count code points, as Array.from does; a text field counts units of UTF-16.

export function underline(copy, text, errors) {
  const letters = Array.from(text);
  const shown = [];
  let at = 0;
  for (const { start, end } of errors) {
    const from = Math.max(at, start);
    const to = Math.max(end, start + 1);
    if (from >= to) continue;
    const mark = document.createElement("mark");
    mark.textContent = letters.slice(from, to).join("") || " ";
    shown.push(letters.slice(at, from).join(""), mark);
    at = to;
  }
  copy.replaceChildren(...shown, letters.slice(at).join(""), "\u200b"); // a last line of its own, if the text ends so
}

export function replaced(text, { start, end, suggestion }) {
  const letters = Array.from(text);
  letters.splice(start, end - start, suggestion);
  return letters.join("");
}

// The error in which a place of the text field lies, or behind which it stands.
export function errorAt(text, errors, units) {
  const at = Array.from(text.slice(0, units)).length;
  return errors.find(({ start, end }) => start <= at && at <= Math.max(end, start + 1));
}

// The box of the letter at a place, in pixels of the window.
export function boxAt(copy, units) {
  const range = document.createRange();
  let left = units;
  const walker = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (left < node.length) {
      range.setStart(node, left);
      range.setEnd(node, Math.min(left + 1, node.length)); // a letter's box: a place between two may be a line's end
      return range.getClientRects()[0] ?? copy.getBoundingClientRect();
    }
    left -= node.length;
  }
  return copy.getBoundingClientRect();
}

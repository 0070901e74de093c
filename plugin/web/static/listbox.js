// A list to choose from below a field, as WAI-ARIA has it: the field keeps the focus and says which option is active.

export class Listbox {
  #list;
  #field = null;
  #options = [];
  #active = -1;
  #pick = null;

  constructor(list) {
    this.#list = list;
    list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
    list.addEventListener("click", (event) => {
      const at = [...list.children].indexOf(event.target.closest("[role=option]"));
      if (at >= 0) this.#take(at);
    });
  }

  get open() {
    return !this.#list.hidden;
  }

  // Options are { text, detail }. `place`: where the list begins, in pixels of the window; by default below the field.
  show(field, options, pick, { place, first = false } = {}) {
    if (!options.length) return this.hide();
    [this.#field, this.#options, this.#pick] = [field, options, pick];
    this.#list.replaceChildren(...options.map((option, at) => drawn(option, `${this.#list.id}-${at}`)));
    this.#list.hidden = false;
    const { left, bottom, width } = place ?? field.getBoundingClientRect();
    this.#list.style.left = "0"; // where it has room to be as wide as it is
    this.#list.style.minInlineSize = place ? "" : `${width}px`;
    const most = document.documentElement.clientWidth - this.#list.offsetWidth - 8;
    this.#list.style.left = `${Math.max(8, Math.min(left, most)) + scrollX}px`;
    this.#list.style.top = `${bottom + scrollY + 2}px`;
    if (field.role === "combobox" || field.getAttribute("role") === "combobox") field.setAttribute("aria-expanded", "true");
    this.#activate(first ? 0 : -1);
  }

  hide() {
    if (!this.open) return;
    this.#list.hidden = true;
    if (this.#field.getAttribute("role") === "combobox") this.#field.setAttribute("aria-expanded", "false");
    this.#field.removeAttribute("aria-activedescendant");
    this.#active = -1;
  }

  // Whether a key was for the list.
  key(event) {
    if (!this.open || event.ctrlKey || event.metaKey || event.altKey) return false;
    const last = this.#options.length - 1;
    if (event.key === "ArrowDown") this.#activate(this.#active < last ? this.#active + 1 : 0);
    else if (event.key === "ArrowUp") this.#activate(this.#active > 0 ? this.#active - 1 : last);
    else if (event.key === "Enter" && this.#active >= 0) this.#take(this.#active);
    else if (event.key === "Escape") this.hide();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  #activate(at) {
    this.#active = at;
    [...this.#list.children].forEach((one, number) => one.setAttribute("aria-selected", String(number === at)));
    const active = this.#list.children[at];
    active?.scrollIntoView({ block: "nearest" });
    if (active) this.#field.setAttribute("aria-activedescendant", active.id);
    else this.#field.removeAttribute("aria-activedescendant");
  }

  #take(at) {
    const [option, pick] = [this.#options[at], this.#pick];
    this.hide();
    pick(option);
  }
}

function drawn({ text, detail }, id) {
  const item = document.createElement("li");
  item.id = id;
  item.setAttribute("role", "option");
  item.append(text);
  if (detail) {
    const more = document.createElement("span");
    more.textContent = ` ${detail}`;
    more.className = "quiet";
    item.append(more);
  }
  return item;
}

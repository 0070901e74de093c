// The builder's buttons and fields: what is done there is asked of the server, which answers with builder and text.

import { Listbox } from "./listbox.js";
import { put } from "./parts.js";

const find = (id) => document.getElementById(id);

export class Builder {
  #place;
  #ask;
  #askLater;
  #choices = new Listbox(find("choices"));
  #names = find("names");
  #at = null; // the group to which the dialog adds
  #focus = null; // what is to have the focus once it is drawn anew

  constructor(place, { ask, askLater }) {
    [this.#place, this.#ask, this.#askLater] = [place, ask, askLater];
    place.addEventListener("click", (event) => this.#clicked(event));
    place.addEventListener("change", (event) => this.#changed(event));
    place.addEventListener("input", (event) => this.#typed(event));
    place.addEventListener("focusin", (event) => this.#entered(event));
    place.addEventListener("focusout", () => this.#choices.hide());
    place.addEventListener("keydown", (event) => this.#pressed(event));
    this.#names.addEventListener("click", (event) => this.#named(event));
    this.#names.addEventListener("keydown", (event) => this.#sought(event));
    find("names-like").addEventListener("input", () => this.#narrow());
    document.addEventListener("click", (event) => this.#closeMenus(event.target));
  }

  // Draw what the server says; null: the text cannot be read, and what is drawn is not the segment.
  async settle(html, redraw) {
    this.#place.inert = html === null;
    if (html === null || !redraw) return;
    const focus = this.#focus ?? (this.#place.contains(document.activeElement) ? document.activeElement.id : null);
    await put(this.#place, html);
    this.#focus = null;
    const found = focus && (find(focus) ?? this.#place.querySelector(`[id^="${CSS.escape(focus)}"]`));
    found?.focus();
  }

  #fields(more = {}) {
    const sent = new URLSearchParams(new FormData(find("builder-fields")));
    for (const [name, value] of Object.entries(more)) sent.set(name, value);
    return sent;
  }

  #reshape(action = {}) {
    this.#choices.hide();
    return this.#ask(this.#fields(action));
  }

  #clicked(event) {
    const button = event.target.closest("button");
    const field = event.target.closest("[data-choices]");
    if (field) return this.#offer(field);
    if (!button) return;
    if (button.dataset.pick !== undefined) this.#open(button.dataset.at);
    else if (button.dataset.do) this.#do(button.dataset);
    else if (button.dataset.step) this.#step(button);
    else if (button.dataset.drop !== undefined) this.#drop(button);
  }

  #do({ do: action, at, name = "" }) {
    const above = at.replace(/-\d+$/, "");
    this.#focus = action === "remove" ? `${above}.add` : `${at}-${this.#parts(at)}`;
    this.#reshape({ do: action, at, name });
  }

  #parts(path) { // how many there are within a part
    const inside = new RegExp(`^${path}-\\d+\\.kind$`);
    return [...find("builder-fields").elements].filter((one) => inside.test(one.name)).length;
  }

  #step(button) {
    const field = button.closest(".stepper").querySelector("input");
    const step = Number(button.dataset.step);
    const digits = String(button.dataset.step).split(".")[1]?.length ?? 0;
    const given = Number(field.value || 0) + step;
    const least = field.min === "" ? -Infinity : Number(field.min);
    const most = field.max === "" ? Infinity : Number(field.max);
    field.value = String(Number(Math.min(most, Math.max(least, given)).toFixed(Math.max(digits, decimals(field.value)))));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #drop(button) {
    const row = button.closest("[role=group]");
    button.closest(".token").remove();
    this.#focus = row.querySelector("[data-choices], select")?.id ?? null;
    this.#reshape();
  }

  #changed({ target }) {
    if (target.dataset.reshape !== undefined || (target.id.endsWith(".more") && target.value)) this.#reshape();
  }

  #typed({ target }) {
    if (target.dataset.choices !== undefined) this.#offer(target);
    if (target.dataset.reshape === undefined && !target.id.endsWith(".more")) this.#askLater(() => this.#fields(), false);
  }

  #entered({ target }) {
    if (target.dataset.choices !== undefined && !target.value) this.#offer(target);
  }

  #pressed(event) {
    if (this.#choices.key(event)) return;
    const field = event.target.closest("[data-choices]");
    if (field && event.key === "ArrowDown") this.#offer(field);
    else if (event.key === "Escape") this.#closeMenus(null, true);
    else return;
    event.preventDefault();
  }

  // Values from the shop's own data; all of them where a value was chosen already and the field is only looked at.
  async #offer(field) {
    const typed = field.value === field.defaultValue ? "" : field.value;
    const address = new URL(field.dataset.choices, location.href);
    address.searchParams.set("like", typed);
    const answer = await fetch(address);
    if (!answer.ok || document.activeElement !== field) return;
    const options = (await answer.json()).map(({ value, label }) => ({ text: label, detail: label === value ? "" : value, value }));
    this.#choices.show(field, options, (option) => this.#choose(field, option));
  }

  #choose(field, { value }) {
    field.value = value;
    field.defaultValue = value;
    if (field.id.endsWith(".more")) this.#reshape();
    else this.#askLater(() => this.#fields(), false);
  }

  // The dialog of names.

  #open(at) {
    this.#at = at;
    find("names-like").value = "";
    this.#narrow();
    this.#names.showModal();
    find("names-like").focus();
  }

  #named(event) {
    if (event.target === this.#names || event.target.closest("[data-close]")) return this.#names.close();
    const button = event.target.closest("[data-name]");
    if (!button) return;
    this.#names.close();
    this.#do({ do: "add", at: this.#at, name: button.dataset.name });
  }

  #narrow() {
    const like = find("names-like").value.trim().toLowerCase();
    for (const item of this.#names.querySelectorAll("section li")) item.hidden = !item.textContent.toLowerCase().includes(like);
    for (const family of this.#names.querySelectorAll("section")) family.hidden = !family.querySelector("li:not([hidden])");
    find("names-none").hidden = Boolean(this.#names.querySelector("section:not([hidden])"));
  }

  #sought(event) {
    const buttons = [...this.#names.querySelectorAll("section:not([hidden]) li:not([hidden]) button")];
    const at = buttons.indexOf(document.activeElement);
    if (event.key === "Enter" && event.target === find("names-like")) buttons[0]?.click();
    else if (event.key === "ArrowDown") buttons[Math.min(at + 1, buttons.length - 1)]?.focus();
    else if (event.key === "ArrowUp") (at > 0 ? buttons[at - 1] : find("names-like")).focus();
    else return;
    event.preventDefault();
  }

  #closeMenus(target, focus = false) {
    for (const menu of this.#place.querySelectorAll("details.drop[open]")) {
      if (menu.contains(target)) continue;
      menu.open = false;
      if (focus) menu.querySelector("summary").focus();
    }
  }
}

function decimals(text) {
  return text.split(".")[1]?.length ?? 0;
}

// Tells Tagsmith what a customer who has signed in does on the shop's pages: pages, products and collections looked at,
// searches, forms that are sent (which, not what is in them) and links that lead elsewhere. Nothing is sent before the
// page says that the visitor has consented. No cookies, nothing stored in the browser, no addresses with their query.
(() => {
  "use strict";
  const tag = document.currentScript;
  const { key, customer, proof } = tag?.dataset ?? {};
  const waiting = window.tagsmith ?? [];
  let allowed = false;
  let told = false;

  const run = ([name, ...given]) => commands[name]?.(...given);
  const commands = {
    consent(given) {
      allowed = given === true;
      if (allowed && !told) tellPage();
    },
    product: (id, tags) => send("product_viewed", id, tags),
    collection: (id, tags) => send("collection_viewed", id, tags),
    searched: (words) => send("searched", words),
    form: (name) => send("form_submitted", name),
    link: (name) => send("link_clicked", name),
    page: () => send("page_viewed", plain(location.href)),
  };

  // What the page itself says of what it shows: once, as soon as there is consent.
  function tellPage() {
    told = true;
    const { product, collection, search, tags } = tag?.dataset ?? {};
    const list = tags?.split(",").map((one) => one.trim()).filter(Boolean);
    commands.page();
    if (product) commands.product(product, list);
    if (collection) commands.collection(collection, list);
    if (search) commands.searched(search);
  }

  // The address of a page without its query and fragment, which may name persons.
  function plain(href) {
    try {
      const url = new URL(href, location.href);
      return /^https?:$/.test(url.protocol) ? url.origin + url.pathname : "";
    } catch {
      return "";
    }
  }

  function newId() {
    const numbers = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(numbers, (one) => one.toString(16).padStart(2, "0")).join("");
  }

  function send(kind, about, tags) {
    const subject = String(about ?? "").trim().slice(0, 500);
    if (!allowed || !key || !customer || !proof || !subject) return;
    const event = { id: newId(), kind, subject };
    if (Array.isArray(tags)) event.tags = tags.map(String).slice(0, 50);
    const body = JSON.stringify({ customer, proof, events: [event] });
    const address = new URL(`/site/${encodeURIComponent(key)}`, tag.src).href;
    // Plain text needs no question beforehand, and what is kept alive outlives the page.
    fetch(address, {
      method: "POST",
      body,
      mode: "cors",
      credentials: "omit",
      keepalive: true,
      headers: { "Content-Type": "text/plain" },
    }).catch(() => {}); // a view that is lost is no loss
  }

  document.addEventListener(
    "submit",
    ({ target: form }) => {
      send("form_submitted", form.getAttribute("name") || form.id || new URL(form.action, location.href).pathname);
    },
    true,
  );
  document.addEventListener(
    "click",
    ({ target }) => {
      const link = target.closest?.("a[href]");
      if (!link) return;
      const elsewhere = link.host && link.host !== location.host ? plain(link.href) : "";
      send("link_clicked", link.dataset.tagsmithLink || elsewhere);
    },
    true,
  );

  window.tagsmith = { push: (...some) => some.forEach(run) };
  if (tag?.dataset.consent === "granted") commands.consent(true);
  waiting.forEach(run);
})();

// Inside Shopify's admin: each page that is opened and each form that is sent carries a session token, which App Bridge gives.
"use strict";

async function withToken(url) {
  const place = new URL(url, location.href);
  place.searchParams.set("id_token", await shopify.idToken());
  return place;
}

function elsewhere(event, link) {
  return !globalThis.shopify || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || link.target || link.origin !== location.origin || link.getAttribute("href").startsWith("#");
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href]");
  if (!link || elsewhere(event, link)) return;
  event.preventDefault();
  location.assign(await withToken(link.href));
});

function hidden(form, name, value) {
  const field = form.querySelector(`input[type=hidden][name="${name}"]`) ?? form.appendChild(document.createElement("input"));
  field.type = "hidden";
  field.name = name;
  field.value = value;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (event.defaultPrevented || !globalThis.shopify) return;
  event.preventDefault();
  if (event.submitter?.name) hidden(form, event.submitter.name, event.submitter.value);
  hidden(form, "id_token", await shopify.idToken());
  HTMLFormElement.prototype.submit.call(form);
});

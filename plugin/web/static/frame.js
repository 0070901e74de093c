// Inside Shopify's admin: whatever is asked of us carries a session token, which App Bridge gives, and what is said is a toast.
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

// A part of a page is asked for with a token in its header, and once more with a new one where that had just run out.
async function fetchWithToken(url, request) {
  const ask = async () => fetch(url, { ...request, headers: { ...request.headers, Authorization: `Bearer ${await shopify.idToken()}` } });
  const answer = await ask();
  return answer.headers.has("X-Shopify-Retry-Invalid-Session-Request") ? ask() : answer;
}

document.addEventListener("htmx:config:request", ({ detail }) => {
  if (globalThis.shopify) detail.ctx.fetch = fetchWithToken;
});

for (const notice of document.querySelectorAll("[data-toast]")) {
  if (!globalThis.shopify?.toast) break;
  shopify.toast.show(notice.textContent);
  notice.remove();
}

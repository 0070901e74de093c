// Tells which products and collections a customer who has signed in looks at. Of anybody else nothing is sent.
import { register } from "@shopify/web-pixels-extension";

const EVENTS = {
  product_viewed: (data) => data.productVariant?.product?.id,
  collection_viewed: (data) => data.collection?.id,
};

// Ids go beyond what a JavaScript number can hold: they are texts from end to end, with or without "gid://shopify/…/".
const number = (id) => String(id ?? "").split("/").pop();

register(({ analytics, browser, init, settings, customerPrivacy }) => {
  const customer = number(init.data?.customer?.id);
  let allowed = consented(init.customerPrivacy);
  customerPrivacy.subscribe("visitorConsentCollected", (event) => {
    allowed = consented(event.customerPrivacy);
  });

  for (const [name, subjectOf] of Object.entries(EVENTS)) {
    analytics.subscribe(name, (event) => {
      const subject = number(subjectOf(event.data));
      if (!allowed || !customer || !subject) return;
      send(browser, settings.address, { id: event.id, name, customer, subject });
    });
  }
});

function consented(privacy) {
  return Boolean(privacy?.analyticsProcessingAllowed && privacy?.marketingAllowed);
}

// A beacon outlives the page; where there is none, or it is refused, a request that is kept alive does.
async function send(browser, address, event) {
  const body = JSON.stringify(event);
  try {
    if (await browser.sendBeacon(address, body)) return;
  } catch {
    // not every browser lets a sandbox have one
  }
  fetch(address, { method: "POST", body, keepalive: true, mode: "cors", headers: { "Content-Type": "text/plain" } }).catch(
    () => {}, // a view that is lost is no loss
  );
}

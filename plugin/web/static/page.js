// What every page does beyond links and forms: says when a part could not be fetched, and copies what is to be copied.
"use strict";

const said = document.getElementById("said");

function say(text) {
  const notice = document.createElement("p");
  notice.className = "notice bad";
  notice.textContent = text;
  said.replaceChildren(notice);
}

for (const event of ["htmx:response:error", "htmx:error"]) {
  document.addEventListener(event, () => say(said.dataset.failed));
}

// A part is asked for by a form as by a page: with the token that proves that our page sends it.
document.addEventListener("htmx:config:request", ({ detail }) => {
  detail.ctx.request.headers["X-CSRFToken"] = document.querySelector("meta[name=csrf-token]").content;
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copies]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    button.textContent = button.dataset.copied;
  } catch { // not allowed here, as in another site's frame: it is then one key away
    getSelection().selectAllChildren(source);
  }
});

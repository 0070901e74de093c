// How markup from the server becomes a part of the page: by htmx alone, which the page's policy allows it.

export function put(place, markup) {
  return htmx.swap({ sourceElement: place, target: place, swap: "innerHTML settle:0ms", text: markup });
}

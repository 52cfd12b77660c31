// A refused request: the message goes into the nearest message area, the bad fields are marked,
// and nothing else changes, so a form keeps what was typed.

const areaOf = (element) =>
  element.closest("form, dialog, [data-message-scope]")?.querySelector("[data-messages]") ??
  document.getElementById("messages");

const clear = (scope) => {
  for (const slot of scope.querySelectorAll("[data-error-for]")) slot.textContent = "";
  for (const field of scope.querySelectorAll('[aria-invalid="true"]')) {
    field.removeAttribute("aria-invalid");
  }
  const area = scope.querySelector("[data-messages]");
  if (area) area.replaceChildren();
};

const mark = (scope, area) => {
  const holder = area.querySelector("[data-errors]");
  if (!holder) return;
  for (const { field, sentence } of JSON.parse(holder.dataset.errors)) {
    const name = field.split(".").at(-1);
    const input = scope.querySelector(`[name="${CSS.escape(name)}"]`);
    if (!input) continue;
    input.setAttribute("aria-invalid", "true");
    const slot = scope.querySelector(`[data-error-for="${CSS.escape(name)}"]`);
    if (slot) slot.textContent = sentence;
  }
  scope.querySelector('[aria-invalid="true"]')?.focus();
};

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  const form = detail.elt.closest("form");
  if (form) clear(form);
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status < 400) return;
  if (!detail.xhr.getResponseHeader("HX-Problem")) {
    detail.shouldSwap = false; // a proxy's page, not ours
    say(areaOf(detail.requestConfig.elt), "The server cannot be reached.", "Try again in a moment.");
    return;
  }
  // A fragment that reloads by itself does not shout: the next news tries again.
  if (detail.requestConfig.elt.hasAttribute("data-live")) {
    detail.shouldSwap = false;
    return;
  }
  detail.target = areaOf(detail.requestConfig.elt);
  detail.swapOverride = "innerHTML";
});

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (!detail.xhr?.getResponseHeader("HX-Problem")) return;
  const scope = detail.requestConfig.elt.closest("form, dialog") ?? document.body;
  mark(scope, detail.target);
  detail.target.scrollIntoView({ block: "nearest" });
});

document.addEventListener("htmx:sendError", ({ detail }) => {
  if (detail.requestConfig.elt.hasAttribute("data-live")) return;
  say(areaOf(detail.requestConfig.elt), "The server cannot be reached.", "Try again in a moment.");
});

export const say = (area, sentence, remedy) => {
  const note = document.getElementById("message-template").content.cloneNode(true);
  note.querySelector("[data-sentence]").textContent = sentence;
  note.querySelector("[data-remedy]").textContent = remedy;
  area.replaceChildren(note);
};

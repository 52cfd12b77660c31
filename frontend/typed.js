// What somebody has typed stays when the part of the page around it is loaded again, also after the
// field has lost the focus: until its form was sent, or reset. From then on it shows what the server
// says. What was refused stays said as long. Knows no page; app.js asks it before it changes a node.

const typed = new WeakSet(); // fields that somebody changed
const answered = new WeakSet(); // fields whose form was sent since: the focus alone keeps nothing
const sent = new WeakMap(); // request -> Map of the form's fields to what was sent

const FIELDS = "input:not([type=hidden]), select, textarea";
const SAID = "[data-messages], [data-error-for]";

const stateOf = (field) => (["checkbox", "radio"].includes(field.type) ? field.checked : field.value);
const isSameField = (one, other) =>
  one.name === other.name && one.type === other.type && (one.type !== "checkbox" || one.value === other.value);

const release = (field) => {
  typed.delete(field);
  answered.add(field);
};

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, ({ target }) => {
    typed.add(target);
    answered.delete(target);
  }, true);
}

document.addEventListener("reset", ({ target }) => [...target.elements].forEach(release), true);

document.addEventListener("htmx:beforeRequest", ({ detail: { elt, xhr } }) => {
  if (!(elt instanceof HTMLFormElement)) return;
  sent.set(xhr, new Map([...elt.elements].map((field) => [field, stateOf(field)])));
});

// What was typed while the answer was on its way has not been sent. A choice that sends itself and was
// refused is as it was before.
document.addEventListener("htmx:beforeSwap", ({ detail: { xhr, requestConfig } }) => {
  if (xhr.status >= 400) {
    if (requestConfig.elt.matches('form[hx-trigger="change"]')) requestConfig.elt.reset();
    return;
  }
  for (const [field, state] of sent.get(xhr) ?? []) if (stateOf(field) === state) release(field);
});

const becomeAnother = (form) => {
  for (const field of form.elements) {
    release(field);
    field.removeAttribute("aria-invalid");
  }
  for (const said of form.querySelectorAll(SAID)) said.replaceChildren();
};

// Whether the node of a page stays as it is, rather than become the fresh one.
export const stays = (old, fresh) => {
  if (!(old instanceof Element && fresh instanceof Element)) return false;
  if (old.matches("form") && old.getAttribute("action") !== fresh.getAttribute("action")) becomeAnother(old);
  if (old.matches(SAID)) return old.hasChildNodes() && !fresh.hasChildNodes();
  if (!old.matches(FIELDS) || !fresh.matches(FIELDS) || !isSameField(old, fresh)) return false;
  return typed.has(old) || (old === document.activeElement && !answered.has(old));
};

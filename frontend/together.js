// Two people at one form. Before a form that shows what is stored is sent, it is looked at again:
// what somebody else has saved meanwhile in fields that were left alone is taken over, so that it is
// not undone; where both have changed the same field, nothing is sent and the second is told. The
// next "Save" then replaces the other's value. Knows no page: the form is read again from where it
// came, and found there by its action.
import { say } from "./problems.js";

const seen = new WeakMap(); // form -> what it showed: Map of field name -> values
const touched = new WeakSet();
const looking = new WeakSet();
const LONGEST_SHOWN = 60;
const PATIENCE_MS = 5_000;

const fieldsOf = (form) =>
  [...form.elements].filter(({ name, type }) => name && !["hidden", "submit", "button", "file"].includes(type));

const valuesOf = (form) => {
  const values = new Map(fieldsOf(form).map(({ name }) => [name, []]));
  for (const [name, value] of new FormData(form)) values.get(name)?.push(value);
  return values;
};

// As the server wrote it: what a script or the browser has filled in since is the reader's own.
const shownIn = (field) => {
  if (field.matches(":disabled")) return [];
  if (["checkbox", "radio"].includes(field.type)) return field.defaultChecked ? [field.value] : [];
  if (!field.options) return [field.defaultValue];
  const given = [...field.options].filter((option) => option.defaultSelected);
  const first = field.multiple ? [] : [...field.options].slice(0, 1);
  return (given.length ? given : first).map(({ value }) => value);
};
const shownBy = (form) => {
  const values = new Map();
  for (const field of fieldsOf(form)) values.set(field.name, [...(values.get(field.name) ?? []), ...shownIn(field)]);
  return values;
};

const same = (a, b) => JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
const isGuarded = (form) =>
  form.matches("form[hx-post]:not([hx-target], [hx-encoding])") && [...valuesOf(form).values()].flat().some(Boolean);

// What a form shows is remembered until somebody begins to change it.
const remember = () => {
  for (const form of document.forms) if (!touched.has(form)) seen.set(form, shownBy(form));
};
for (const kind of ["input", "change"]) {
  document.addEventListener(kind, ({ target }) => target.form && touched.add(target.form), true);
}

const fresh = async (form) => {
  const source = form.parentElement.closest("[hx-get]")?.getAttribute("hx-get") ?? location.href;
  const answer = await fetch(source, { signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok || answer.redirected) return null;
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  return [...read.forms].find((each) => each.getAttribute("action") === form.getAttribute("action"));
};

const take = (form, name, values) => {
  const fields = fieldsOf(form).filter((field) => field.name === name);
  const choices = fields.every(({ type }) => type === "checkbox" || type === "radio");
  if (!choices && fields.length !== 1) return false; // rows, whose order says which is which
  for (const field of fields) {
    if (choices) field.checked = values.includes(field.value);
    else field.value = values[0] ?? "";
  }
  return true;
};

const labelOf = (form, name) => {
  const [field] = fieldsOf(form).filter((each) => each.name === name);
  const label = field?.labels?.[0]?.firstChild?.textContent ?? field?.ariaLabel ?? name;
  return label.trim() || name;
};

const inWords = (theirs, name) => {
  const [field] = fieldsOf(theirs).filter((each) => each.name === name);
  if (field?.type === "checkbox" || field?.type === "radio") return "";
  const text = field?.selectedOptions?.[0]?.textContent ?? field?.value ?? "";
  const short = text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
  return short ? ` to “${short}”` : "";
};

// Takes over what only they have changed; returns the names of what both have.
const merge = (form, theirs) => {
  const [was, now, mine] = [seen.get(form), shownBy(theirs), valuesOf(form)];
  const clashes = [];
  for (const [name, values] of now) {
    if (same(was.get(name), values) || same(mine.get(name), values)) continue;
    if (same(was.get(name), mine.get(name)) && take(form, name, values)) continue;
    clashes.push(name);
  }
  seen.set(form, now);
  return clashes;
};

const tell = (form, theirs, clashes) => {
  const changed = clashes.map((name) => `“${labelOf(form, name)}”${inWords(theirs, name)}`).join(", ");
  const area = form.querySelector("[data-messages]") ?? document.getElementById("messages");
  say(area, `Meanwhile somebody else has changed ${changed}.`, "Yours is still here: save again to replace theirs.");
  area.scrollIntoView({ block: "nearest" });
};

document.addEventListener("htmx:confirm", async (event) => {
  const form = event.detail.elt;
  if (!(form instanceof HTMLFormElement) || !seen.has(form) || !isGuarded(form)) return;
  event.preventDefault();
  if (looking.has(form)) return; // pressed twice
  looking.add(form);
  try {
    const theirs = await fresh(form).catch(() => null); // unreachable: the request itself will say so
    const clashes = theirs ? merge(form, theirs) : [];
    if (clashes.length) tell(form, theirs, clashes);
    else event.detail.issueRequest(true);
  } finally {
    looking.delete(form);
  }
});

remember();
document.addEventListener("htmx:load", remember);
document.addEventListener("htmx:afterSettle", remember);

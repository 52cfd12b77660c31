// The inbox: keys, choosing several, and a conversation that stays at its end while it is read there.

const NEAR_PX = 80;
const page = document.getElementById("inbox");
const bulk = document.getElementById("bulk");
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const isShown = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;

// --- several at once: what is chosen outlives the list's live news ---

const chosen = new Set();

const showChosen = () => {
  const picks = all("[data-pick]");
  const there = new Set(picks.map((pick) => pick.value));
  for (const id of chosen) if (!there.has(id)) chosen.delete(id);
  for (const pick of picks) pick.checked = chosen.has(pick.value);
  bulk.hidden = chosen.size === 0;
  page.toggleAttribute("data-choosing", chosen.size > 0);
  bulk.querySelector("[data-count]").textContent = `${chosen.size} chosen`;
};

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-pick]")) return;
  chosen[target.checked ? "add" : "delete"](target.value);
  showChosen();
});
document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-choose-none]")) return;
  chosen.clear();
  showChosen();
});
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.elt.matches("[data-bulk]")) return;
  for (const id of chosen) detail.formData.append("ids", id);
});

// --- after an act the page stays and shows what changed ---

document.addEventListener("inbox:changed", () => {
  for (const menu of all("details[data-menu][open]")) menu.open = false;
  for (const element of all("[data-live]")) htmx.trigger(element, "live");
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const form = detail.elt;
  if (!detail.successful || !form.matches("form[action='/inbox/acts']")) return;
  if (form.matches("[data-bulk]")) {
    chosen.clear();
    showChosen();
  }
  // Who marks as unread what lies open leaves it: looking at it would be reading it.
  if (form.elements.back) location.assign(page.dataset.list);
});
document.addEventListener("htmx:afterSettle", ({ target }) => target.id === "rows" && showChosen());
document.addEventListener("composer:sent", ({ target }) => {
  const form = target.closest("[data-composer]") ?? document.querySelector("[data-composer]");
  form?.reset();
  document.getElementById("size").textContent = "";
});

// --- keys ---

const rows = () => all("[data-row] > a");
let last; // the row that had the focus: it means that one still when a menu has closed
document.addEventListener("focusin", ({ target }) => { last = target.closest("[data-row]") ?? last; });
const current = () => document.activeElement.closest?.("[data-row]") ?? (last?.isConnected ? last : null);

const move = (by) => {
  const links = rows();
  const open = links.findIndex((link) => link.hasAttribute("aria-current"));
  const here = links.findIndex((link) => link.closest("[data-row]") === current());
  const from = here >= 0 ? here : open;
  const next = links[Math.max(0, Math.min(links.length - 1, from < 0 ? 0 : from + by))];
  next?.focus();
};

const choose = () => {
  const pick = current()?.querySelector("[data-pick]");
  if (!pick) return;
  pick.checked = !pick.checked;
  pick.dispatchEvent(new Event("change", { bubbles: true }));
};

// What a key means stands in the page: on what is chosen, else on what lies open, else on the row.
const press = (key) => {
  const ofKey = (root) => all(`[data-key="${CSS.escape(key)}"]`, root);
  const inBulk = ofKey(bulk)[0];
  if (inBulk && chosen.size === 0 && !document.getElementById("conversation")) {
    const pick = current()?.querySelector("[data-pick]");
    if (!pick) return false;
    chosen.add(pick.value);
    showChosen();
  }
  const target = chosen.size && inBulk ? inBulk : ofKey(document).find((one) => !bulk.contains(one));
  if (!target) return false;
  const menu = target.closest("details[data-menu]");
  if (menu && !target.matches("summary")) menu.open = true;
  if (target.matches("summary")) {
    target.parentElement.open = true;
    target.parentElement.querySelector("button, input:not([type=hidden])")?.focus();
  } else if (target.matches("input, textarea")) {
    target.focus();
  } else {
    target.click();
  }
  return true;
};

const back = () => {
  if (chosen.size) {
    chosen.clear();
    showChosen();
    current()?.querySelector("a").focus();
  } else if (document.getElementById("conversation")) {
    location.assign(page.dataset.list);
  }
};

document.addEventListener("keydown", (event) => {
  const { target, key } = event;
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (target.closest("dialog[open], details[data-menu][open]")) return;
  if (target.matches("input:not([type=checkbox]), textarea, select")) {
    if (key === "Escape") target.blur();
    return;
  }
  const own = { j: () => move(1), k: () => move(-1), x: choose, Escape: back };
  const named = event.shiftKey && /^[A-Z]$/.test(key) ? `Shift+${key}` : key;
  if (own[named]) own[named]();
  else if (key.length !== 1 || !press(named)) return;
  event.preventDefault();
});

// --- what was searched for is in view; otherwise the end: of the pane, on a telephone of the page ---

for (const pane of all("[data-stick-to-end]").filter(isShown)) {
  const scroller = () => (getComputedStyle(pane).overflowY === "visible" ? document.scrollingElement : pane);
  const toEnd = () => scroller().scrollTo({ top: scroller().scrollHeight });
  const found = pane.querySelector("#conversation-log mark");
  let atEnd = !found;
  document.addEventListener("scroll", () => {
    const { scrollHeight, scrollTop, clientHeight } = scroller();
    atEnd = scrollHeight - scrollTop - clientHeight < NEAR_PX;
  }, true);
  const grown = new ResizeObserver(() => atEnd && toEnd());
  for (const part of pane.children) grown.observe(part);
  if (!found) toEnd();
  found?.closest("details")?.setAttribute("open", "");
  found?.scrollIntoView({ block: "center" });
}
all("[data-row] [aria-current]").find(isShown)?.scrollIntoView({ block: "nearest" });

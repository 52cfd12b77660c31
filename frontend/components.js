// Behaviour of components.html, wired by data attributes; heavy ones are loaded when one is there.
import { toast } from "./chrome.js";

// --- copy, dialogs, typed confirmation ---

// The first field has the focus, where there is none "Cancel".
const open = (dialog) => {
  dialog?.showModal();
  dialog?.querySelector("form :is(input:not([type=hidden], [disabled]), select, textarea, [data-close])")?.focus();
};

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    event.preventDefault();
    await navigator.clipboard.writeText(copy.dataset.copy);
    toast("Copied");
  }
  const opener = event.target.closest("[data-open]");
  if (opener) open(document.getElementById(opener.dataset.open));
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
  if (event.target.matches("dialog.sheet")) event.target.close(); // the backdrop
});

document.addEventListener("input", (event) => {
  const typed = event.target.closest("[data-typed]");
  if (!typed) return;
  const strip = (text) => text.replace(/[\s()-]/g, "");
  const right = strip(typed.value) === strip(typed.dataset.typed);
  typed.form.querySelector("[data-typed-button]").disabled = !right;
});

// --- timers and relative times: text alone changes, in figures of one width ---

const clock = (seconds) => {
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
};

const ago = (seconds) => {
  const size = Math.abs(seconds);
  if (size < 60) return seconds < -5 ? "in a moment" : "just now"; // two clocks may differ a little
  const steps = [[3600, 60, "min"], [86400, 3600, "h"], [604800, 86400, "d"], [Infinity, 604800, "wk"]];
  const [, unit, name] = steps.find(([limit]) => size < limit);
  const text = `${Math.floor(size / unit)} ${name}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
};

// The page says when the server wrote it; a browser's clock may be minutes off.
const skew = Date.now() - Date.parse(document.body.dataset.now);

const tick = () => {
  const now = Date.now() - skew;
  const since = (element) => Math.round((now - Date.parse(element.dateTime)) / 1000);
  for (const element of document.querySelectorAll("time[data-timer]")) {
    element.textContent = clock(Math.max(0, since(element)));
  }
  for (const element of document.querySelectorAll("time[data-ago]")) {
    const text = ago(since(element));
    if (element.textContent !== text) element.textContent = text;
  }
};
tick();
setInterval(tick, 1000);

// --- heavy components ---

const enhance = (root) => {
  const all = (selector) => [
    ...(root.matches?.(selector) ? [root] : []),
    ...root.querySelectorAll(selector),
  ];
  const heavy = [
    ["[data-wave]", () => import("./wave.js")],
    ["[data-chart]", () => import("./chart.js")],
  ];
  for (const [selector, load] of heavy) {
    const found = all(selector).filter((element) => !element.dataset.ready);
    if (!found.length) continue;
    for (const element of found) element.dataset.ready = "1";
    load().then(({ mount }) => found.forEach(mount));
  }
  for (const list of all("[data-stick-bottom]")) stick(list);
};

// A transcript keeps its end in view while it grows, unless somebody has scrolled up.
const stick = (list) => {
  if (list.dataset.ready) return;
  list.dataset.ready = "1";
  const end = () => { list.scrollTop = list.scrollHeight; };
  let atEnd = true;
  list.addEventListener("scroll", () => {
    atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 48;
  });
  new MutationObserver(() => atEnd && end()).observe(list, {
    childList: true, subtree: true, characterData: true,
  });
  end();
};

document.addEventListener("htmx:load", (event) => enhance(event.detail.elt));
enhance(document.body);

// The page around the content: theme, toasts, menus.

const root = document.documentElement;
const dark = () =>
  (root.dataset.theme ?? "") === "offhook-dark" ||
  (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-toggle]")) return;
  const next = dark() ? "offhook-light" : "offhook-dark";
  root.dataset.theme = next;
  localStorage.setItem("theme", next);
  document.dispatchEvent(new CustomEvent("theme:changed"));
});

// What is drawn in the theme's colours, a chart, is drawn anew: also when the evening comes.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  if (!root.dataset.theme) document.dispatchEvent(new CustomEvent("theme:changed"));
});

const TOAST_MS = 4000;

export const toast = (text) => {
  const line = document.createElement("div");
  line.className = "toast-line";
  line.textContent = text;
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), TOAST_MS);
};

// After a redirect the sentence comes in a cookie; without one, in the HX-Trigger header.
const cookie = document.cookie.match(/(?:^|; )offhook_toast=([^;]*)/);
if (cookie) {
  document.cookie = "offhook_toast=; Max-Age=0; Path=/";
  addEventListener("DOMContentLoaded", () => toast(decodeURIComponent(cookie[1])));
}
document.addEventListener("toast", (event) => toast(event.detail.value ?? event.detail));

// Country codes get their names, the time zone its guess; the server accepts both unchanged.
const names = new Intl.DisplayNames(["en"], { type: "region" });
for (const select of document.querySelectorAll("select[data-country-names]")) {
  const chosen = select.value;
  const options = [...select.options];
  for (const option of options) option.textContent = names.of(option.value) ?? option.value;
  options.sort((a, b) => a.textContent.localeCompare(b.textContent));
  select.append(...options);
  select.value = chosen;
}
for (const select of document.querySelectorAll("select[data-guess-zone]")) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...select.options].some((option) => option.value === here)) select.value = here;
}

// A row of sections or tabs that is wider than a phone begins at the one that is shown.
for (const row of document.querySelectorAll("nav.overflow-x-auto")) {
  const current = row.querySelector("[aria-current]");
  if (current) row.scrollLeft = current.offsetLeft - row.offsetLeft - (row.clientWidth - current.clientWidth) / 2;
}

// A <details data-menu> closes when one clicks elsewhere or presses Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
    event.preventDefault(); // it means the menu alone
  }
});

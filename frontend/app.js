// What every page runs: htmx with morphing, live topics, and the components' behaviour.
import htmx from "htmx.org";
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";
import "./chrome.js";
import "./components.js";
import { start as startLive } from "./live.js";
import "./problems.js";
import "./together.js";
import { stays } from "./typed.js";

htmx.config.allowEval = false; // the content security policy forbids it
htmx.config.includeIndicatorStyles = false;
htmx.config.historyCacheSize = 0; // pages of a signed-in person are not kept in the browser
htmx.config.responseHandling = [
  { code: "204", swap: false },
  { code: "[23]..", swap: true },
  { code: "[45]..", swap: true, error: true }, // problems.js puts it where it belongs
];

// What somebody typed stays. A drawn chart takes new figures instead of being drawn anew, a player
// plays on; what somebody opened stays open, a dialog too, and a line to a live call in the state that it is in.
// What a part of a page has loaded by itself stays until its own news.
const loads = (node) => (node.matches?.('[hx-get][hx-trigger*="load"]') ? node.getAttribute("hx-get") : "");
Idiomorph.defaults.callbacks.beforeNodeMorphed = (old, fresh) => {
  if (stays(old, fresh) || (loads(old) && loads(old) === loads(fresh))) return false;
  if (old.dataset?.ready && old.matches("[data-wave]") && fresh.matches?.("[data-wave]")) return false;
  if (!old.dataset?.ready || !old.dataset.chart || !fresh.dataset?.chart) return true;
  old.setAttribute("aria-label", fresh.getAttribute("aria-label"));
  if (old.dataset.chart !== fresh.dataset.chart) {
    old.dataset.chart = fresh.dataset.chart;
    old.dispatchEvent(new Event("chart:data"));
  }
  return false;
};
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
  !["data-line", "aria-invalid"].includes(name) && !(name === "open" && element.matches("details, dialog"));
htmx.defineExtension("morph", {
  isInlineSwap: (style) => style.startsWith("morph"),
  handleSwap: (style, target, fragment) =>
    style.startsWith("morph")
      ? Idiomorph.morph(target, fragment.childNodes, {
          morphStyle: style === "morph:outerHTML" ? "outerHTML" : "innerHTML",
        })
      : false,
});

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = document.body.dataset.csrf;
});

startLive(htmx);
globalThis.htmx = htmx; // for scripts of single pages, which are bundled apart

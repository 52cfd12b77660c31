// Live fragments of a page.
//   data-live="topic topic"  an element that htmx loads again (trigger "live") when a topic changes
//   data-live-data="topic"   gets an event "live:data" with what comes (words of a live call)
// All tabs share one event stream: through a SharedWorker, or where there is none through the tab
// that holds a lock, by BroadcastChannel.
import { Switchboard } from "./live-core.js";

const SEEN_MS = 30_000;
const FRAGMENT_MS = 10_000;
const RETRY_MS = 500;
const LONGEST_RETRY_MS = 15_000;
const words = (text) => text.split(/\s+/).filter(Boolean);

const topicsOfPage = () => {
  const found = new Set();
  for (const { dataset } of document.querySelectorAll("[data-live], [data-live-data]")) {
    for (const topic of words(`${dataset.live ?? ""} ${dataset.liveData ?? ""}`)) found.add(topic);
  }
  return [...found].sort();
};

const throughWorker = (url, receive) => {
  const { port } = new SharedWorker(url, { type: "module", name: "offhook-live" });
  port.onmessage = ({ data }) => receive(data);
  port.start();
  return (message) => port.postMessage(message);
};

// Without SharedWorker: the first tab to get the lock is the switchboard of all others.
const throughLeader = (receive) => {
  const id = crypto.randomUUID();
  const channel = new BroadcastChannel("offhook-live");
  let board = null;
  let last = null;
  const deliverTo = (tab) => (message) =>
    tab === id ? receive(message) : channel.postMessage({ to: tab, message });
  const serve = (tab, message) => {
    if (message.type === "watch") board.watch(tab, message.topics, message.owner, deliverTo(tab));
    else if (message.type === "seen") board.seen(tab);
    else if (message.type === "leave") board.leave(tab);
  };
  channel.onmessage = ({ data }) => {
    if (data.to === id) receive(data.message);
    else if (data.from && board) serve(data.from, data.message);
    else if (data.newLeader && last) channel.postMessage({ from: id, message: last });
  };
  navigator.locks.request("offhook-live", () => {
    board = new Switchboard();
    if (last) serve(id, last);
    channel.postMessage({ newLeader: true });
    return new Promise(() => {}); // held until the tab is gone
  });
  return (message) => {
    if (message.type === "watch") last = message;
    if (board) serve(id, message);
    else channel.postMessage({ from: id, message });
  };
};

export const start = (htmx) => {
  const { owner, liveWorker } = document.body.dataset;
  if (!owner) return; // nobody is signed in
  let watched = "";
  let send = null;

  const receive = (message) => {
    if (message.type === "state") document.documentElement.dataset.live = message.on ? "on" : "off";
    else if (message.type === "news") reload([message.topic]);
    else if (message.type === "ready") reload(message.topics);
    else if (message.type === "data") pass(message);
  };

  const reload = (topics) => {
    for (const element of document.querySelectorAll("[data-live]")) {
      const own = words(element.dataset.live);
      if (topics.some((topic) => own.includes(topic))) htmx.trigger(element, "live");
    }
  };

  const pass = ({ topic, data }) => {
    for (const element of document.querySelectorAll("[data-live-data]")) {
      if (!words(element.dataset.liveData).includes(topic)) continue;
      element.dispatchEvent(new CustomEvent("live:data", { detail: data, bubbles: true }));
    }
  };

  const watch = () => {
    const topics = topicsOfPage();
    if (topics.join(" ") === watched) return;
    watched = topics.join(" ");
    send ??= globalThis.SharedWorker ? throughWorker(liveWorker, receive) : throughLeader(receive);
    send({ type: "watch", topics, owner });
  };

  // The stream is fine but a fragment did not come: ask again, ever more slowly, until it does.
  const again = ({ detail }) => {
    const element = detail.elt;
    const status = detail.xhr?.status ?? 0;
    if (!element.hasAttribute("data-live") || (status >= 400 && status < 500 && status !== 429)) return;
    const tries = Number(element.dataset.liveTries ?? 0);
    element.dataset.liveTries = tries + 1;
    const pause = Math.min(RETRY_MS * 2 ** tries, LONGEST_RETRY_MS);
    setTimeout(() => element.isConnected && htmx.trigger(element, "live"), pause);
  };
  for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(name, again);
  }
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful) delete detail.elt.dataset.liveTries;
  });
  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt.hasAttribute("data-live")) detail.timeout = FRAGMENT_MS;
  });

  watch();
  document.addEventListener("htmx:load", watch);
  document.addEventListener("htmx:afterSettle", watch);
  setInterval(() => send?.({ type: "seen" }), SEEN_MS);
  addEventListener("pagehide", () => send?.({ type: "leave" }));
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    watched = "";
    watch();
  });
};

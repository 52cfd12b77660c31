// One event stream for all tabs of a browser (HTTP/1.1 allows six connections to a host).
// A Switchboard knows which tab watches which topics and keeps the stream up: it connects anew with
// a growing pause after an error or a 503, and also when the server has been silent too long. A
// change of topics opens the new stream before the old one is closed, so no news is lost between.

const SETTLE_MS = 60;
const SILENCE_MS = 14_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

export class Switchboard {
  constructor() {
    this.tabs = new Map(); // id -> {topics: Set, deliver, waiting: Set, seen}
    this.current = null; // the stream in use: {source, topics}
    this.opening = null; // its successor until it is ready
    this.pause = FIRST_PAUSE_MS;
    this.owner = ""; // who is signed in: another person's tab starts a new stream
    setInterval(() => this.#watchdog(), 3000);
  }

  watch(id, topics, owner, deliver) {
    const known = this.tabs.get(id);
    const fresh = topics.filter((topic) => !known?.topics.has(topic));
    const waiting = new Set([...(known?.waiting ?? []), ...fresh]);
    this.tabs.set(id, { topics: new Set(topics), deliver, waiting, seen: Date.now() });
    if (owner !== this.owner) {
      this.owner = owner;
      this.#drop(this.current);
      this.current = null;
    }
    deliver({ type: "state", on: Boolean(this.current) });
    this.#settle();
  }

  leave(id) {
    this.tabs.delete(id);
    this.#settle();
  }

  seen(id) {
    const tab = this.tabs.get(id);
    if (tab) tab.seen = Date.now();
  }

  #wanted() {
    return new Set([...this.tabs.values()].flatMap((tab) => [...tab.topics]));
  }

  #settle() {
    clearTimeout(this.settling);
    this.settling = setTimeout(() => {
      const wanted = this.#wanted();
      if (!wanted.size) {
        this.#drop(this.current);
        this.#drop(this.opening);
        this.current = this.opening = null;
      } else if (this.current && [...wanted].every((topic) => this.current.topics.has(topic))) {
        this.#ready(this.current);
      } else {
        this.#open();
      }
    }, SETTLE_MS);
  }

  #open() {
    clearTimeout(this.retry);
    this.#drop(this.opening);
    const topics = this.#wanted();
    if (!topics.size) return;
    const url = `/live?topics=${encodeURIComponent([...topics].sort().join(","))}`;
    const stream = { source: new EventSource(url), topics, heard: Date.now() };
    this.opening = stream;
    const on = (name, act) =>
      stream.source.addEventListener(name, (event) => {
        stream.heard = Date.now();
        act(event.data ? JSON.parse(event.data) : {});
      });
    on("ready", () => {
      this.pause = FIRST_PAUSE_MS;
      if (this.opening === stream) this.opening = null;
      this.#drop(this.current);
      this.current = stream;
      this.#ready(stream);
    });
    on("news", ({ topic }) => this.#tell(topic, { type: "news", topic }));
    on("data", ({ topic, data }) => this.#tell(topic, { type: "data", topic, data }));
    on("beat", () => {});
    on("renew", () => this.current === stream && this.#open());
    stream.source.addEventListener("error", () => this.#failed(stream));
  }

  // Every topic that a tab has been waiting for is live now: its fragments load their state once.
  #ready(stream) {
    for (const tab of this.tabs.values()) {
      const topics = [...tab.waiting].filter((topic) => stream.topics.has(topic));
      for (const topic of topics) tab.waiting.delete(topic);
      tab.deliver({ type: "state", on: true });
      if (topics.length) tab.deliver({ type: "ready", topics });
    }
  }

  #tell(topic, message) {
    for (const tab of this.tabs.values()) if (tab.topics.has(topic)) tab.deliver(message);
  }

  #failed(stream) {
    this.#drop(stream);
    if (this.opening === stream) this.opening = null;
    if (this.current === stream) {
      this.current = null;
      for (const tab of this.tabs.values()) tab.waiting = new Set(tab.topics);
    }
    if (!this.current) for (const tab of this.tabs.values()) tab.deliver({ type: "state", on: false });
    if (this.opening) return;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => this.#open(), this.pause * (0.75 + Math.random() / 2));
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }

  #drop(stream) {
    stream?.source.close();
  }

  #watchdog() {
    const now = Date.now();
    for (const stream of [this.current, this.opening]) {
      if (stream && now - stream.heard > SILENCE_MS) this.#failed(stream);
    }
    for (const [id, tab] of this.tabs) if (now - tab.seen > 180_000) this.leave(id);
  }
}

// The panel beside a number's configuration: a handset that calls it and texts it.
import { Handset } from "../handset.js";

const ENDS = { busy: "Busy: the call was not answered", rejected: "Not answered: the number rejects calls" };

const MOST_BYTES = 5 * 1024 * 1024; // as the simulated carrier takes

const read = (file) =>
  new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => failed(new Error(`“${file.name}” cannot be read.`));
    reader.readAsDataURL(file);
  });

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

class Panel {
  constructor(root) {
    this.root = root;
    this.number = root.dataset.number;
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.handset = new Handset({
      url: root.dataset.handset.replace(/^http/, "ws"),
      token: root.dataset.token,
      workletUrl: root.dataset.worklet,
    });
    this.part("call").addEventListener("click", () => this.call());
    this.part("hang-up").addEventListener("click", () => this.handset.hangUp());
    this.part("text-form").addEventListener("submit", (event) => this.send(event));
    this.part("file").addEventListener("change", () => this.attached());
    this.part("no-file").addEventListener("click", () => this.attached(null));
    const on = (name, handler) => this.handset.addEventListener(name, ({ detail }) => handler(detail));
    on("ready", (detail) => this.history(detail.texts ?? []));
    on("ringing", () => this.show("Ringing…", true));
    on("answered", () => this.answered());
    on("refused", ({ reason }) => this.over(ENDS[reason] ?? `Not answered: ${reason}`));
    on("ended", ({ duration_s: s }) => this.over(s === null ? "Ended" : `Ended after ${clock(s)}`));
    on("text", (text) => this.bubble(text.body, { other: text.from, files: text.files }));
    on("error", ({ sentence }) => this.problem(sentence));
    on("connection", ({ open }) => this.problem(open ? "" : "The simulated network does not answer."));
    this.handset.connect().catch((error) => this.problem(error.message));
  }

  async call() {
    this.problem("");
    this.show("Calling…", true);
    try {
      await this.handset.call(this.number);
    } catch (error) {
      const denied = error.name === "NotAllowedError" || error.name === "NotFoundError";
      this.over("");
      this.problem(denied ? "The browser gives no microphone. Allow it for this page, then call again." : error.message);
    }
  }

  async answered() {
    const began = Date.now();
    this.show("Connected 0:00", true);
    this.timer = setInterval(() => this.show(`Connected ${clock(Math.floor((Date.now() - began) / 1000))}`, true), 500);
    const link = this.part("call-link");
    const answer = await fetch(`/api/v1/calls?live=true&limit=1&number_id=${this.root.dataset.numberId}`);
    const [call] = answer.ok ? (await answer.json()).items : [];
    if (!call) return;
    link.href = `/calls/${call.id}`;
    link.hidden = false;
  }

  show(text, busy) {
    this.part("call-state").textContent = text;
    this.part("call").hidden = busy;
    this.part("hang-up").hidden = !busy;
  }

  over(text) {
    clearInterval(this.timer);
    this.show(text, false);
    this.part("call-link").textContent = "Open the call";
  }

  problem(sentence) {
    this.part("problem").textContent = sentence;
  }

  // Shows what is attached; null takes it off.
  attached(file = this.part("file").files[0]) {
    const fits = !file || file.size <= MOST_BYTES;
    this.problem(fits ? "" : `“${file.name}” is larger than 5 MB. Choose a smaller one.`);
    if (!file || !fits) this.part("file").value = "";
    this.part("file-name").textContent = fits ? (file?.name ?? "") : "";
    this.part("attached").hidden = !file || !fits;
  }

  async send(event) {
    event.preventDefault();
    const field = event.target.elements.text;
    const body = field.value.trim();
    const [file] = this.part("file").files;
    if (!body && !file) return field.focus();
    try {
      const picture = file ? await read(file) : "";
      const data = picture.slice(picture.indexOf(",") + 1);
      const files = file ? [{ content_type: file.type || "application/octet-stream", data }] : [];
      this.handset.text(this.number, body, files);
      const shown = file?.type.startsWith("image/") ? picture : "";
      this.bubble(body, { own: true, picture: shown, files: files.length });
      field.value = "";
      this.attached(null);
    } catch (error) {
      this.problem(error.message);
    }
  }

  history(texts) {
    this.part("texts").querySelectorAll(".bubble").forEach((old) => old.remove());
    for (const text of texts) {
      const own = text.to === this.number;
      this.bubble(text.body, { own, other: own ? text.to : text.from, files: text.files });
    }
  }

  bubble(body, { own = false, other = this.number, picture = "", files = 0 }) {
    if (other !== this.number) return; // the handset's texts with other numbers
    this.part("no-texts")?.remove();
    const bubble = document.createElement("div");
    bubble.className = `bubble max-w-[85%] ${own ? "self-end bubble-ours" : "self-start"}`;
    bubble.textContent = body;
    if (picture) {
      const image = new Image();
      Object.assign(image, { src: picture, alt: "Picture that was sent", className: "mt-1 max-h-40 rounded-field" });
      bubble.append(image);
    } else if (files) {
      const note = document.createElement("span");
      note.className = "mt-1 block text-sm muted";
      note.textContent = files === 1 ? "With a file" : `With ${files} files`;
      bubble.append(note);
    }
    const list = this.part("texts");
    list.append(bubble);
    list.scrollTop = list.scrollHeight;
  }
}

const mount = () => {
  for (const root of document.querySelectorAll("[data-handset]")) root.panel ??= new Panel(root);
};
mount();
document.addEventListener("htmx:load", mount);

// Talking to an agent's draft: the browser is its caller. What goes over the socket is told in
// calls/rehearsing/bridge.py: audio and marks as carriers speak them, beside them what is said and done.
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
const bytes = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const base64 = (frame) => btoa(String.fromCharCode(...frame));

class Rehearsal {
  #socket = null;
  #audio = null;
  #timer = 0;
  #turns = new Map();

  constructor(root) {
    this.root = root;
    this.part = (name) => root.querySelector(`[data-${name}]`);
    this.part("begin").addEventListener("click", () => this.begin());
    this.part("end").addEventListener("click", () => this.#socket?.close());
  }

  async begin() {
    this.#problem("");
    this.#show("Connecting…", true);
    try {
      const url = await this.#address();
      await this.#openAudio();
      this.#listen(new WebSocket(url));
    } catch (error) {
      const denied = error.name === "NotAllowedError" || error.name === "NotFoundError";
      this.#over("");
      this.#problem(denied ? "The browser gives no microphone. Allow it for this page, then try again." : error.message);
    }
  }

  async #address() {
    const answer = await fetch(this.root.dataset.begins, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": document.body.dataset.csrf },
      body: JSON.stringify({ real: this.part("real")?.checked ?? false }),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error([told.detail, told.remedy].filter(Boolean).join(" "));
    return told.url;
  }

  #listen(socket) {
    this.#socket = socket;
    const began = Date.now();
    socket.onopen = () => {
      this.part("turns").replaceChildren();
      this.#turns.clear();
      this.#timer = setInterval(() => this.#show(`Connected ${clock(Math.floor((Date.now() - began) / 1000))}`, true), 500);
    };
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = ({ code }) => {
      this.#over(code === 1000 ? "Ended" : "");
      if (code !== 1000) this.#problem("The line was lost, or no line is free. Try again.");
    };
  }

  #receive(message) {
    const { event } = message;
    if (event === "media") {
      const frame = bytes(message.media.payload);
      this.#audio?.node.port.postMessage(frame.buffer, [frame.buffer]);
    } else if (event === "mark") this.#audio?.node.port.postMessage({ mark: message.mark.name });
    else if (event === "clear") this.#audio?.node.port.postMessage({ clear: true });
    else if (event === "words") this.#words(message);
    else if (event === "turn") this.#turn(message);
    else if (event === "task") this.#task(message);
    else if (event === "notice") this.#notice(message.text);
  }

  async #openAudio() {
    const context = new AudioContext({ latencyHint: "interactive" });
    this.#audio = { context, stream: null, node: null };
    await context.audioWorklet.addModule(this.root.dataset.worklet);
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    const node = new AudioWorkletNode(context, "handset", { outputChannelCount: [1] });
    context.createMediaStreamSource(stream).connect(node);
    node.connect(context.destination);
    node.port.onmessage = ({ data }) => this.#sounded(data);
    await context.resume();
    this.#audio = { context, stream, node };
  }

  #sounded(data) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const said = data instanceof Uint8Array
      ? { event: "media", streamSid: "page", media: { payload: base64(data) } }
      : { event: "mark", streamSid: "page", mark: { name: data.mark } };
    this.#socket.send(JSON.stringify(said));
  }

  #words({ speaker, text }) {
    const bubble = this.part(`words-${speaker}`);
    bubble.querySelector("[data-text]").textContent = text;
    bubble.hidden = text === "";
  }

  // The same turn comes again when more of it was heard.
  #turn({ id, speaker, text, interrupted, citations }) {
    const bubble = this.#turns.get(id) ?? this.#new(speaker === "caller" ? "caller" : "agent");
    this.#turns.set(id, bubble);
    bubble.querySelector("[data-text]").textContent = text;
    bubble.querySelector("[data-interrupted]")?.toggleAttribute("hidden", !interrupted);
    const sources = bubble.querySelector("[data-sources]");
    if (sources && citations?.length) {
      sources.hidden = false;
      sources.querySelector("[data-list]").replaceChildren(
        ...citations.map(({ passage_id: passage, title }) => {
          const link = document.createElement("a");
          link.className = "hover:underline";
          link.href = `/knowledge/passages/${passage}`;
          link.textContent = title;
          return link;
        }),
      );
    }
    this.#words({ speaker: speaker === "caller" ? "caller" : "agent", text: "" });
    this.#toEnd();
  }

  #task({ task_id: id, title, state, done, request, response }) {
    const card = this.#new("task");
    const link = card.querySelector("[data-title]");
    link.textContent = title;
    link.href = `/tasks/${id}`;
    const kind = state === "failed" ? "failed" : done ? "done" : "shown";
    card.querySelector(`[data-state=${kind}]`).hidden = false;
    card.setAttribute("aria-label", `Task: ${title}`);
    for (const [name, text] of [["request", request], ["response", response]]) {
      if (!text) continue;
      card.querySelector(`[data-${name}]`).hidden = false;
      card.querySelector(`[data-${name}] code`).textContent = text;
    }
    this.#toEnd();
  }

  #notice(text) {
    const line = this.#new("notice");
    line.querySelector("[data-text]").textContent = text;
    this.#toEnd();
  }

  #new(name) {
    const made = this.part(`new-${name}`).content.firstElementChild.cloneNode(true);
    this.part("turns").append(made);
    return made;
  }

  #toEnd() {
    const list = this.part("turns");
    list.scrollTop = list.scrollHeight;
  }

  #show(text, busy) {
    this.part("state").textContent = text;
    this.part("begin").hidden = busy;
    this.part("end").hidden = !busy;
  }

  #over(text) {
    clearInterval(this.#timer);
    this.#show(text, false);
    for (const speaker of ["caller", "agent"]) this.#words({ speaker, text: "" });
    for (const track of this.#audio?.stream?.getTracks() ?? []) track.stop();
    this.#audio?.context.close();
    this.#audio = this.#socket = null;
  }

  #problem(sentence) {
    this.part("problem").textContent = sentence;
  }
}

const mount = () => {
  for (const root of document.querySelectorAll("[data-rehearsal]")) root.rehearsal ??= new Rehearsal(root);
};
mount();
document.addEventListener("htmx:load", mount);

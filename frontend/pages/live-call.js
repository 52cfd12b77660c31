// Members on live calls: listen in, take over, hand back. One call at a time in a window.
//   <… data-live-call="ID" data-line="idle" data-worklet="URL"> with buttons [data-listen],
//   [data-take-over], [data-hand-back], [data-mute], [data-stop], and a [data-line-says]
// `data-line` is idle, opening, listening or talking; the buttons show by it, and a live page leaves
// it alone when it loads its parts again.
const TELL_EVERY = 25; // frames: half a second
const RETRY_MS = 700;
const REFUSED = 1008;
const OVER = 1000;

class Line {
  constructor(call, worklet) {
    this.call = call;
    this.worklet = worklet;
    this.frames = 0;
    this.wanted = "";
    this.muted = false;
  }

  // "listen" or "take-over". Rejects with what a person can read.
  async open(how) {
    this.wanted = how;
    this.show("opening");
    await this.#openAudio(how === "take-over");
    await this.#connect();
  }

  handBack() {
    this.#send(JSON.stringify({ type: "hand_back" }));
    this.wanted = "listen";
    this.#hear();
  }

  mute(muted) {
    this.muted = muted;
    for (const track of this.stream?.getAudioTracks() ?? []) track.enabled = !muted;
    this.show();
  }

  close(says = "") {
    this.wanted = "";
    clearTimeout(this.timer);
    if (this.socket?.readyState <= WebSocket.OPEN) this.socket.close(OVER);
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.audio?.close();
    this.audio = this.stream = this.socket = null;
    this.show("idle", says);
    if (current === this) current = null;
  }

  async #connect() {
    const asked = await fetch(`/api/v1/calls/${this.call}/${this.wanted}`, {
      method: "POST",
      headers: { "X-CSRF-Token": document.body.dataset.csrf },
    });
    const answer = await asked.json().catch(() => ({}));
    if (answer.code === "call_not_live" && this.frames) return this.close(); // it has just ended
    if (!asked.ok) throw new Error(answer.detail ?? "The server cannot be reached.");
    const { pathname, search } = new URL(answer.url);
    const base = location.origin.replace(/^http/, "ws");
    const socket = new WebSocket(`${base}${pathname}${search}`);
    socket.binaryType = "arraybuffer";
    this.socket = socket;
    this.frames = 0; // that came over this socket
    socket.onopen = () => this.#hear();
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code }) => this.socket === socket && this.#lost(code);
  }

  #hear() {
    const talking = this.wanted === "take-over";
    this.node?.port.postMessage({ talking });
    if (!talking) {
      for (const track of this.stream?.getTracks() ?? []) track.stop();
      this.stream = null;
    }
    this.show(talking ? "talking" : "listening");
  }

  #receive(data) {
    if (!(data instanceof ArrayBuffer)) return;
    this.node?.port.postMessage(data, [data]);
    this.frames += 1;
    if (this.frames % TELL_EVERY === 0) {
      this.#send(JSON.stringify({ type: "heard", frames: this.frames }));
      for (const root of this.roots()) root.dataset.lineFrames = this.frames;
    }
  }

  // The call may be over, or the connection: then it is opened again.
  #lost(code) {
    if (!this.wanted) return;
    if (code === OVER) this.close();
    else if (code === REFUSED) this.close("The call cannot be joined any more.");
    else {
      this.show("opening");
      this.timer = setTimeout(() => this.#connect().catch((error) => this.close(error.message)), RETRY_MS);
    }
  }

  async #openAudio(withVoice) {
    if (!this.audio) {
      this.audio = new AudioContext({ latencyHint: "interactive" });
      await this.audio.audioWorklet.addModule(this.worklet);
      this.node = new AudioWorkletNode(this.audio, "member", { outputChannelCount: [1] });
      this.node.port.onmessage = ({ data }) => this.wanted === "take-over" && this.#send(data);
      this.node.connect(this.audio.destination);
    }
    if (withVoice && !this.stream) {
      this.stream = await navigator.mediaDevices.getUserMedia({
        audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
      });
      this.audio.createMediaStreamSource(this.stream).connect(this.node);
    }
    await this.audio.resume();
  }

  #send(data) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(data);
  }

  roots() {
    return document.querySelectorAll(`[data-live-call="${this.call}"]`);
  }

  show(state = this.state, says = "") {
    this.state = state;
    for (const root of this.roots()) {
      root.dataset.line = state;
      const mute = root.querySelector("[data-mute]");
      if (mute) mute.ariaPressed = String(this.muted);
      const line = root.querySelector("[data-line-says]");
      if (line) line.textContent = says;
    }
  }
}

let current = null;

const join = async (root, how) => {
  const call = root.dataset.liveCall;
  if (current && current.call !== call) current.close();
  current ??= new Line(call, root.dataset.worklet);
  const line = current;
  if (line.socket) {
    line.socket.onclose = null;
    line.socket.close(OVER);
  }
  try {
    await line.open(how);
  } catch (error) {
    const denied = ["NotAllowedError", "NotFoundError"].includes(error.name);
    line.close(denied ? "The browser gives no microphone. Allow it for this page, then try again." : error.message);
  }
};

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-listen], [data-take-over], [data-hand-back], [data-mute], [data-stop]");
  const root = button?.closest("[data-live-call]");
  if (!root) return;
  if (button.matches("[data-listen]")) join(root, "listen");
  else if (button.matches("[data-take-over]")) join(root, "take-over");
  else if (button.matches("[data-hand-back]")) current?.handBack();
  else if (button.matches("[data-mute]")) current?.mute(!current.muted);
  else current?.close();
});

// What was whispered is in the transcript now.
document.addEventListener("htmx:afterRequest", ({ detail: { elt, successful } }) => {
  if (successful && elt.matches("[data-whisper]")) elt.reset();
});

// A part that was loaded anew shows the state of the line, if it is this call's.
document.addEventListener("htmx:load", () => current?.show());
addEventListener("pagehide", () => current?.close());

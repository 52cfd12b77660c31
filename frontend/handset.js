// A telephone of the simulated network: texts, calls with the browser's microphone, keys.
//
//   const handset = new Handset({ url, token, workletUrl });
//   handset.addEventListener("ready" | "text" | "text_sent" | "text_state" | "ringing" | "answered"
//     | "refused" | "ended" | "say" | "incoming" | "error" | "connection", ({ detail }) => …);
//   await handset.connect(); handset.text(to, body, files); await handset.call(to, { hidden: false });
//   handset.dtmf("1"); handset.hangUp(); handset.mute(true); handset.close();
//
// `url` is the simulated carrier's ws:// or wss:// address, `token` from `handset_token` (a value or
// a function that fetches a fresh one), `workletUrl` the built handset.worklet.js. `detail` of
// "ready" has the number and its recent texts; of "refused" a reason (busy, rejected, not_in_use …);
// of "ended" duration_s and minutes. Knows no page.

const RECONNECT_MS = [500, 1000, 2000, 5000, 10000];

export class Handset extends EventTarget {
  #options;
  #socket = null;
  #audio = null;
  #failures = 0;
  #closed = false;
  #timer = 0;

  constructor(options) {
    super();
    this.#options = options;
    this.state = "idle"; // idle, calling, ringing, talking
  }

  // Resolves when the line is open; afterwards a lost line is opened again by itself.
  async connect() {
    this.#closed = false;
    const { url, token } = this.#options;
    const value = typeof token === "function" ? await token() : token;
    const socket = new WebSocket(`${url}/handset?token=${encodeURIComponent(value)}`);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#receive(data);
    await new Promise((opened, failed) => {
      socket.onopen = opened;
      socket.onclose = () => {
        this.#lost(socket);
        failed(new Error("The simulated carrier does not answer."));
      };
    });
    this.#failures = 0;
    this.#emit("connection", { open: true });
  }

  // `files`: [{ content_type, data }], data in base64.
  text(to, body, files = []) {
    this.#send({ type: "text", to, body, media: files });
  }

  // Rejects where the browser gives no microphone and `listenOnly` is not asked for.
  async call(to, { hidden = false, listenOnly = false } = {}) {
    if (this.state !== "idle") throw new Error("This telephone is in a call.");
    this.state = "calling";
    try {
      await this.#openAudio(listenOnly);
      this.#send({ type: "call", to, hidden });
    } catch (error) {
      this.#hungUp();
      throw error;
    }
  }

  // Picks up a call that an "incoming" event told of.
  async answer(call, { listenOnly = false } = {}) {
    await this.#openAudio(listenOnly);
    this.#send({ type: "answer", call });
  }

  dtmf(digits) {
    this.#send({ type: "dtmf", digits });
  }

  hangUp() {
    if (this.state !== "idle") this.#send({ type: "hang_up" });
  }

  mute(muted) {
    for (const track of this.#audio?.stream?.getAudioTracks() ?? []) track.enabled = !muted;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#hungUp();
    this.#socket?.close();
  }

  #send(message) {
    if (this.#socket?.readyState !== WebSocket.OPEN) {
      throw new Error("The simulated carrier does not answer.");
    }
    this.#socket.send(JSON.stringify(message));
  }

  #receive(data) {
    if (data instanceof ArrayBuffer) {
      this.#audio?.node.port.postMessage(data, [data]);
      return;
    }
    const { type, ...detail } = JSON.parse(data);
    if (type === "ringing") this.state = "ringing";
    if (type === "answered") this.state = "talking";
    if (type === "refused" || type === "ended") this.#hungUp();
    if (type === "error" && this.state === "calling") this.#hungUp();
    this.#emit(type, detail);
  }

  #lost(socket) {
    if (socket !== this.#socket) return;
    if (this.state !== "idle") {
      this.#hungUp();
      this.#emit("ended", { reason: "the line was lost", duration_s: null, minutes: null });
    }
    this.#emit("connection", { open: false });
    if (this.#closed) return;
    const wait = RECONNECT_MS[Math.min(this.#failures, RECONNECT_MS.length - 1)];
    this.#failures += 1;
    this.#timer = setTimeout(() => this.connect().catch(() => {}), wait);
  }

  #hungUp() {
    this.state = "idle";
    const audio = this.#audio;
    this.#audio = null;
    for (const track of audio?.stream?.getTracks() ?? []) track.stop();
    audio?.context.close();
  }

  async #openAudio(listenOnly) {
    const context = new AudioContext({ latencyHint: "interactive" });
    this.#audio = { context, stream: null, node: { port: { postMessage() {} } } };
    await context.audioWorklet.addModule(this.#options.workletUrl);
    const node = new AudioWorkletNode(context, "handset", { outputChannelCount: [1] });
    const stream = listenOnly
      ? null
      : await navigator.mediaDevices.getUserMedia({
          audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
        });
    if (stream) context.createMediaStreamSource(stream).connect(node);
    node.connect(context.destination);
    node.port.onmessage = ({ data }) => {
      if (this.state === "talking" && this.#socket?.readyState === WebSocket.OPEN) {
        this.#socket.send(data);
      }
    };
    await context.resume();
    this.#audio = { context, stream, node };
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

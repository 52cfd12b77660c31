// The waveform of a recording: two channels, caller above agent; a click on a turn or a mark seeks.
//   <div data-wave="URL of the audio" id="player"> … <button data-wave-play>, data-wave-speed
//   or, for a long one: data-wave-drawing="URL" (JSON: length_ms, caller, agent, silences) and
//   data-wave-link="URL" (JSON: url), asked for the audio when somebody wants to hear it
//   anything with data-seek-ms="12340" (and data-seek-in="player" where there are several)
//   within the player: data-mark-ms="12340" stands at its place, data-wave-skip skips silence
import WaveSurfer from "wavesurfer.js";

const LEAD_S = 0.25; // of a silence that is skipped, so that words are not cut

const colour = (name, part) =>
  `color-mix(in oklab, ${getComputedStyle(document.documentElement).getPropertyValue(name)} ${part}%, transparent)`;

const channel = (name) => ({
  waveColor: colour(name, 45),
  progressColor: colour(name, 100),
});

const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

const json = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(url);
  return answer.json();
};

const look = () => ({
  cursorColor: colour("--color-base-content", 80),
  splitChannels: [channel("--color-base-content"), channel("--color-primary")],
});

class Player {
  constructor(element) {
    this.element = element;
    this.silences = [];
    const { wave: url, waveDrawing: drawing } = element.dataset;
    this.wave = WaveSurfer.create({
      container: element.querySelector("[data-wave-canvas]"),
      url: url || undefined,
      height: 40,
      barWidth: 2,
      barGap: 1,
      barRadius: 1,
      ...look(),
      cspNonce: document.querySelector('meta[name="csp-nonce"]').content,
    });
    this.part("play").addEventListener("click", () => this.toggle());
    this.part("speed")?.addEventListener("change", ({ target }) =>
      this.wave.setPlaybackRate(Number(target.value)),
    );
    this.wave.on("ready", () => { element.dataset.state = "ready"; this.show(); this.place(); });
    this.wave.on("timeupdate", () => { this.show(); this.skip(); });
    for (const event of ["play", "pause", "finish"]) this.wave.on(event, () => this.state());
    this.wave.on("error", () => this.failed());
    document.addEventListener("theme:changed", () => element.isConnected && this.wave.setOptions(look()));
    if (drawing) this.draw(drawing);
    else this.audio = Promise.resolve();
  }

  part(name) {
    return this.element.querySelector(`[data-wave-${name}]`);
  }

  async draw(url) {
    try {
      const { caller, agent, length_ms: length, silences } = await json(url);
      this.silences = silences.map(({ start_ms, end_ms }) => [start_ms / 1000, end_ms / 1000]);
      await this.wave.load("", [caller, agent], length / 1000);
    } catch {
      this.failed();
    }
  }

  // The audio is fetched as a whole, once, when somebody wants to hear it: its link is short-lived.
  fetched() {
    this.audio ??= (async () => {
      const { url } = await json(this.element.dataset.waveLink);
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(url);
      const media = this.wave.getMediaElement();
      const at = media.currentTime;
      const loaded = new Promise((done) => media.addEventListener("loadedmetadata", done, { once: true }));
      media.src = URL.createObjectURL(await answer.blob());
      await loaded;
      media.currentTime = at;
    })();
    return this.audio;
  }

  async toggle() {
    if (this.wave.isPlaying()) this.wave.pause();
    else await this.play();
  }

  async play(at) {
    try {
      await this.fetched();
      if (at !== undefined) this.wave.setTime(at);
      await this.wave.play();
    } catch (error) {
      if (error.name !== "AbortError") this.failed(); // somebody pressed pause meanwhile
    }
  }

  show() {
    this.part("time").textContent = `${clock(this.wave.getCurrentTime())} / ${clock(this.wave.getDuration())}`;
  }

  state() {
    const play = this.part("play");
    play.dataset.state = this.wave.isPlaying() ? "playing" : "paused";
    play.ariaLabel = this.wave.isPlaying() ? "Pause" : "Play";
  }

  skip() {
    if (!this.part("skip")?.checked || !this.wave.isPlaying()) return;
    const now = this.wave.getCurrentTime();
    const span = this.silences.find(([start, end]) => now > start + LEAD_S && now < end - LEAD_S);
    if (span) this.wave.setTime(span[1] - LEAD_S);
  }

  place() {
    const length = this.wave.getDuration() * 1000;
    for (const mark of this.element.querySelectorAll("[data-mark-ms]")) {
      mark.style.left = `${Math.min(100, (100 * Number(mark.dataset.markMs)) / length)}%`;
    }
  }

  failed() {
    this.element.dataset.state = "failed";
  }
}

export const mount = (element) => {
  element.player = new Player(element);
};

document.addEventListener("click", (event) => {
  const turn = event.target.closest("[data-seek-ms]");
  if (!turn) return;
  const id = turn.dataset.seekIn;
  const element = id ? document.getElementById(id) : document.querySelector("[data-wave]");
  element?.player?.play(Number(turn.dataset.seekMs) / 1000);
});

// The waveform of a recording: two channels, caller above agent; a click on a turn seeks.
//   <div data-wave="URL of the audio" id="player"> … <button data-wave-play>, data-wave-speed
//   anything with data-seek-ms="12340" (and data-seek-in="player" where there are several)
import WaveSurfer from "wavesurfer.js";

const colour = (name, part) =>
  `color-mix(in oklab, ${getComputedStyle(document.documentElement).getPropertyValue(name)} ${part}%, transparent)`;

const channel = (name) => ({
  waveColor: colour(name, 45),
  progressColor: colour(name, 100),
});

const clock = (seconds) =>
  `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export const mount = (element) => {
  const wave = WaveSurfer.create({
    container: element.querySelector("[data-wave-canvas]"),
    url: element.dataset.wave,
    height: 40,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    cursorColor: colour("--color-base-content", 80),
    splitChannels: [channel("--color-base-content"), channel("--color-primary")],
    cspNonce: document.querySelector('meta[name="csp-nonce"]').content,
  });
  element.wave = wave;
  const play = element.querySelector("[data-wave-play]");
  const time = element.querySelector("[data-wave-time]");
  const show = () => { time.textContent = `${clock(wave.getCurrentTime())} / ${clock(wave.getDuration())}`; };
  const state = () => { play.dataset.state = wave.isPlaying() ? "playing" : "paused"; play.ariaLabel = wave.isPlaying() ? "Pause" : "Play"; };
  play.addEventListener("click", () => wave.playPause());
  element.querySelector("[data-wave-speed]")?.addEventListener("change", (event) =>
    wave.setPlaybackRate(Number(event.target.value)),
  );
  wave.on("ready", () => { element.dataset.state = "ready"; show(); });
  wave.on("timeupdate", show);
  for (const event of ["play", "pause", "finish"]) wave.on(event, state);
  wave.on("error", () => { element.dataset.state = "failed"; });
};

document.addEventListener("click", (event) => {
  const turn = event.target.closest("[data-seek-ms]");
  if (!turn) return;
  const id = turn.dataset.seekIn;
  const player = id ? document.getElementById(id) : document.querySelector("[data-wave]");
  if (!player?.wave) return;
  player.wave.setTime(Number(turn.dataset.seekMs) / 1000);
  player.wave.play();
});

// A telephone line's sound in the browser's audio thread: mu-law at 8 kHz, both ways. What the
// worklets share; knows no ports and no sockets.
export const LINE_RATE = 8000;
export const FRAME = 160; // 20 ms

export const DECODED = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -magnitude : magnitude) / 32768;
});

const encoded = (sample) => {
  const value = Math.max(-32635, Math.min(32635, Math.round(sample * 32768)));
  const magnitude = Math.abs(value) + 0x84;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((value < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
};

// Samples of the microphone become 20 ms frames. Averages the samples of one 8 kHz step: a low-pass
// that is good enough for a voice.
export class Microphone {
  #step = sampleRate / LINE_RATE;
  #frame = new Uint8Array(FRAME);
  #filled = 0;
  #phase = 0;
  #sum = 0;
  #count = 0;

  constructor(send) {
    this.send = send;
  }

  take(samples) {
    for (const sample of samples) {
      this.#sum += sample;
      this.#count += 1;
      this.#phase += 1;
      if (this.#phase < this.#step) continue;
      this.#phase -= this.#step;
      this.#frame[this.#filled++] = encoded(this.#sum / this.#count);
      this.#sum = this.#count = 0;
      if (this.#filled === FRAME) {
        this.send(this.#frame.slice());
        this.#filled = 0;
      }
    }
  }
}

// Samples of the line (8 kHz) become sound. It begins once `ahead` are there, against an uneven
// network; of more than `most` the oldest are left out. A mark stands behind what was heard so far:
// `passed(name)` is called when that has sounded, or was cleared.
export class Speaker {
  #step = LINE_RATE / sampleRate;
  #waiting = [];
  #at = 0;
  #playing = false;
  #marks = []; // { name, left }: samples that are still to sound before it

  constructor({ ahead, most, keep = most, passed = () => {} }) {
    Object.assign(this, { ahead, most, keep, passed });
  }

  mark(name) {
    this.#marks.push({ name, left: this.#waiting.length });
    this.#playing = this.#playing || this.#waiting.length > 0; // nothing more may come behind it
    if (this.#waiting.length <= 1) this.#sounded(0);
  }

  clear() {
    this.#waiting.length = this.#at = 0;
    this.#playing = false;
    this.#sounded(Infinity);
  }

  #sounded(samples) {
    for (const mark of this.#marks) mark.left -= samples;
    while (this.#marks.length && this.#marks[0].left <= 1) this.passed(this.#marks.shift().name);
  }

  hear(samples) {
    for (const sample of samples) this.#waiting.push(sample);
    if (this.#waiting.length > this.most) this.#waiting.splice(0, this.#waiting.length - this.keep);
    if (this.#waiting.length >= this.ahead) this.#playing = true;
  }

  play([out, ...others]) {
    for (let index = 0; index < out.length; index += 1) {
      const whole = Math.floor(this.#at);
      if (!this.#playing || whole + 1 >= this.#waiting.length) {
        this.#playing = this.#playing && this.#waiting.length > whole + 1;
        out[index] = 0;
        continue;
      }
      const part = this.#at - whole;
      out[index] = this.#waiting[whole] * (1 - part) + this.#waiting[whole + 1] * part;
      this.#at += this.#step;
    }
    const used = Math.floor(this.#at);
    this.#waiting.splice(0, used);
    this.#at -= used;
    if (this.#marks.length) this.#sounded(used);
    for (const other of others) other.set(out);
  }
}

// The handset's ear and mouth, in the browser's audio thread: the microphone becomes 20 ms frames of
// mu-law at 8 kHz, and frames from the line become sound. Knows no socket.
const LINE_RATE = 8000;
const FRAME = 160;
const PREBUFFER = 3 * FRAME; // 60 ms against an uneven network
const MOST_WAITING = 4 * LINE_RATE;

const DECODED = Float32Array.from({ length: 256 }, (_, code) => {
  const bits = ~code & 0xff;
  const magnitude = ((((bits & 0x0f) << 3) + 0x84) << ((bits >> 4) & 7)) - 0x84;
  return (bits & 0x80 ? -magnitude : magnitude) / 32768;
});

function encoded(sample) {
  const value = Math.max(-32635, Math.min(32635, Math.round(sample * 32768)));
  const magnitude = Math.abs(value) + 0x84;
  const exponent = 31 - Math.clz32(magnitude) - 7;
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f;
  return ~((value < 0 ? 0x80 : 0) | (exponent << 4) | mantissa) & 0xff;
}

class HandsetProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / LINE_RATE;
    this.frame = new Uint8Array(FRAME);
    this.filled = 0;
    this.phase = 0;
    this.sum = 0;
    this.count = 0;
    this.waiting = []; // decoded samples of the line, 8 kHz
    this.at = 0;
    this.playing = false;
    this.port.onmessage = ({ data }) => this.hear(new Uint8Array(data));
  }

  hear(bytes) {
    for (const byte of bytes) this.waiting.push(DECODED[byte]);
    if (this.waiting.length > MOST_WAITING) this.waiting.splice(0, this.waiting.length - MOST_WAITING);
    if (this.waiting.length >= PREBUFFER) this.playing = true;
  }

  process(inputs, outputs) {
    this.send(inputs[0]?.[0]);
    this.play(outputs[0]);
    return true;
  }

  // Averages the samples of one 8 kHz step: a low-pass that is good enough for a voice.
  send(samples) {
    if (!samples) return;
    for (const sample of samples) {
      this.sum += sample;
      this.count += 1;
      this.phase += 1;
      if (this.phase < this.step) continue;
      this.phase -= this.step;
      this.frame[this.filled++] = encoded(this.sum / this.count);
      this.sum = this.count = 0;
      if (this.filled === FRAME) {
        this.port.postMessage(this.frame.slice());
        this.filled = 0;
      }
    }
  }

  play(channels) {
    const out = channels[0];
    for (let index = 0; index < out.length; index += 1) {
      const whole = Math.floor(this.at);
      if (!this.playing || whole + 1 >= this.waiting.length) {
        this.playing = this.playing && this.waiting.length > whole + 1;
        out[index] = 0;
        continue;
      }
      const part = this.at - whole;
      out[index] = this.waiting[whole] * (1 - part) + this.waiting[whole + 1] * part;
      this.at += 1 / this.step;
    }
    const used = Math.floor(this.at);
    this.waiting.splice(0, used);
    this.at -= used;
    for (const other of channels.slice(1)) other.set(out);
  }
}

registerProcessor("handset", HandsetProcessor);

// The handset's ear and mouth, in the browser's audio thread: the microphone becomes 20 ms frames of
// mu-law at 8 kHz, and frames from the line become sound. Knows no socket.
import { DECODED, FRAME, LINE_RATE, Microphone, Speaker } from "./telephone-audio.js";

class HandsetProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.microphone = new Microphone((frame) => this.port.postMessage(frame));
    this.speaker = new Speaker({ ahead: 3 * FRAME, most: 4 * LINE_RATE });
    this.port.onmessage = ({ data }) =>
      this.speaker.hear(Array.from(new Uint8Array(data), (byte) => DECODED[byte]));
  }

  process(inputs, outputs) {
    if (inputs[0]?.[0]) this.microphone.take(inputs[0][0]);
    this.speaker.play(outputs[0]);
    return true;
  }
}

registerProcessor("handset", HandsetProcessor);

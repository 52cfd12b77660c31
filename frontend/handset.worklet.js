// The handset's ear and mouth, in the browser's audio thread: the microphone becomes 20 ms frames of
// mu-law at 8 kHz, and frames from the line become sound. Knows no socket.
//
// In: an ArrayBuffer of the line's audio; { mark: NAME } behind it; { clear: true } drops what has not
// sounded. Out: a Uint8Array of the microphone; { mark: NAME } once all before it has sounded.
import { DECODED, FRAME, LINE_RATE, Microphone, Speaker } from "./telephone-audio.js";

class HandsetProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.microphone = new Microphone((frame) => this.port.postMessage(frame));
    const passed = (name) => this.port.postMessage({ mark: name });
    this.speaker = new Speaker({ ahead: 3 * FRAME, most: 4 * LINE_RATE, passed });
    this.port.onmessage = ({ data }) => this.take(data);
  }

  take(data) {
    if (data instanceof ArrayBuffer) {
      this.speaker.hear(Array.from(new Uint8Array(data), (byte) => DECODED[byte]));
    } else if (data.clear) this.speaker.clear();
    else this.speaker.mark(data.mark);
  }

  process(inputs, outputs) {
    if (inputs[0]?.[0]) this.microphone.take(inputs[0][0]);
    this.speaker.play(outputs[0]);
    return true;
  }
}

registerProcessor("handset", HandsetProcessor);

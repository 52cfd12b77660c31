// A member's ear and mouth on a live call, in the browser's audio thread. Each message from the page
// is 20 ms of both sides, one byte of the caller's and one of the agent's in turn; who talks hears
// the caller alone ({talking: true}). Frames of the microphone go back. Knows no socket.
import { DECODED, FRAME, LINE_RATE, Microphone, Speaker } from "./telephone-audio.js";

class MemberProcessor extends AudioWorkletProcessor {
  constructor() {
    super();
    this.talking = false;
    this.microphone = new Microphone((frame) => this.port.postMessage(frame));
    this.speaker = new Speaker({ ahead: 4 * FRAME, most: LINE_RATE, keep: LINE_RATE / 4 });
    this.port.onmessage = ({ data }) => {
      if (data instanceof ArrayBuffer) this.hear(new Uint8Array(data));
      else this.talking = data.talking;
    };
  }

  hear(both) {
    const samples = new Float32Array(both.length / 2);
    for (let at = 0; at < samples.length; at += 1) {
      samples[at] = DECODED[both[2 * at]] + (this.talking ? 0 : DECODED[both[2 * at + 1]]);
    }
    this.speaker.hear(samples);
  }

  process(inputs, outputs) {
    if (this.talking && inputs[0]?.[0]) this.microphone.take(inputs[0][0]);
    this.speaker.play(outputs[0]);
    return true;
  }
}

registerProcessor("member", MemberProcessor);

// The switchboard in a SharedWorker: one for all tabs of the browser.
import { Switchboard } from "./live-core.js";

const board = new Switchboard();

self.onconnect = ({ ports: [port] }) => {
  const id = crypto.randomUUID();
  const deliver = (message) => port.postMessage(message);
  port.onmessage = ({ data }) => {
    if (data.type === "watch") board.watch(id, data.topics, data.owner, deliver);
    else if (data.type === "seen") board.seen(id);
    else if (data.type === "leave") board.leave(id);
  };
};

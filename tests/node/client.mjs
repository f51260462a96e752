// Drives any number of official Socket.IO clients. Reads orders and writes what happens, one JSON object per line.
//
// In:  {do: "connect", client, url, options, version} · {do: "emit", client, name, args} · {do: "ask", client, name, args, call}
//      · {do: "burst", client, calls}, calls as those of ask, all in one turn · {do: "disconnect", client} · {do: "reset"}: all clients go, and the answer is the last of them. In args {"$bytes": base64} is a Buffer.
// Out: {client, what, …}; what is connect, event, ack, upgrade, disconnect or connect_error, in the order of each client.
import http from "node:http";
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const libraries = { "4.8": io };
for (const version of ["3.0", "3.1", "4.0", "4.4"]) {
  const library = await import(`socket.io-client-${version}`);
  libraries[version] = library.io ?? library.default.io ?? library.default;
}

const sockets = new Map();
const requests = new Set();
const request = http.request;
http.request = (...args) => {
  const started = request(...args);
  requests.add(started);
  started.once("close", () => requests.delete(started));
  return started;
};

function report(client, what, more) {
  process.stdout.write(JSON.stringify({ client, what, ...more }) + "\n");
}

// Polling clients send what they have left, and get the answers, before a test may stop its server.
function reportWhenQuiet() {
  const [pending] = requests;
  pending ? pending.once("close", () => setImmediate(reportWhenQuiet)) : report(null, "reset");
}

function connect({ client, url, options, version = "4.8" }) {
  const socket = libraries[version](url, { forceNew: true, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
  sockets.set(client, socket);
  socket.onAny((name, ...args) => report(client, "event", { name, args }));
  socket.on("connect", () => {
    const { id, transport } = socket.io.engine;
    report(client, "connect", { sid: socket.id, engine_sid: id, transport: transport.name });
  });
  socket.on("connect_error", ({ message, data = null }) => {
    report(client, "connect_error", { message, data, active: socket.active });
  });
  socket.on("disconnect", (reason) => report(client, "disconnect", { reason, active: socket.active }));
  socket.io.on("open", () => {
    socket.io.engine.on("upgrade", ({ name }) => report(client, "upgrade", { transport: name }));
  });
}

function ask({ client, name, args, call }) {
  sockets.get(client).emit(name, ...args, (...answer) => report(client, "ack", { call, answer }));
}

const orders = {
  connect,
  emit: ({ client, name, args }) => sockets.get(client).emit(name, ...args),
  ask,
  burst: ({ client, calls }) => calls.forEach((call) => ask({ client, ...call })),
  disconnect: ({ client }) => sockets.get(client).disconnect(),
  reset() {
    for (const socket of sockets.values()) {
      socket.offAny();
      socket.off();
      socket.io.off("open");
      socket.io.engine?.off("upgrade"); // an upgrade that is under way would be told to the next test
      socket.disconnect();
    }
    sockets.clear();
    reportWhenQuiet();
  },
};

function revive(_key, value) {
  return typeof value?.$bytes === "string" ? Buffer.from(value.$bytes, "base64") : value;
}

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const order = JSON.parse(line, revive);
  orders[order.do](order);
});
lines.on("close", () => process.exit(0));

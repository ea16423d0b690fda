/**
 * What a consumer of the package does with it, for whatever loads it: `load` is `import` or `require`.
 * Prints what it saw as one line of JSON, and then has nothing left that keeps the process alive.
 */
const { once } = require('node:events');
const { createServer } = require('node:net');

module.exports = async function smoke(load, version) {
  const { reconnect, createReconnectMachine, ...core } = await load('xstate-reconnect');
  const config = await load('xstate-reconnect/config');
  const classify = await load('xstate-reconnect/classify');
  const websocket = await load('xstate-reconnect/websocket');
  const tcp = await load('xstate-reconnect/tcp');
  const browser = await load('xstate-reconnect/browser');
  const node = await load('xstate-reconnect/node');
  const inspect = await load('xstate-reconnect/inspect');
  const inspectNode = await load('xstate-reconnect/inspect/node');
  const testing = await load('xstate-reconnect/testing');
  const { createActor, waitFor } = await load('xstate');

  const exports = {
    '.': Object.keys({ reconnect, createReconnectMachine, ...core }),
    './config': Object.keys(config),
    './classify': Object.keys(classify),
    './websocket': Object.keys(websocket),
    './tcp': Object.keys(tcp),
    './browser': Object.keys(browser),
    './node': Object.keys(node),
    './inspect': Object.keys(inspect),
    './inspect/node': Object.keys(inspectNode),
    './testing': Object.keys(testing),
  };
  const sharedClasses = config.InvalidBackoffError === core.InvalidBackoffError;
  const handle = await talkToServer(reconnect, tcp.tcp);
  const chart = await runChart(createReconnectMachine, createActor, waitFor);
  console.log(JSON.stringify({ node: process.versions.node, xstate: version, exports, sharedClasses, handle, chart }));
};

/** A connection to a real server that hangs up once. */
async function talkToServer(reconnect, tcp) {
  const sockets = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const connection = reconnect({
    connect: tcp({ host: '127.0.0.1', port: server.address().port }),
    backoff: { initial: 1, minUptime: 0 },
  });
  const events = [];
  const seen = (type) =>
    new Promise((resolve) => {
      const subscription = connection.actor.on(type, (event) => {
        events.push(event.type);
        subscription.unsubscribe();
        resolve();
      });
    });
  const accepted = once(server, 'connection');
  await seen('connected');
  await accepted;
  const { remotePort } = connection.session.socket;
  const down = seen('disconnected');
  sockets[0].destroy();
  await down;
  await seen('connected');
  const stopped = seen('stopped');
  connection.stop();
  await Promise.all([stopped, connection.closed()]);

  // Resolves only once the client has hung up.
  server.close();
  await once(server, 'close');
  return { events, remotePort: remotePort > 0, session: connection.session === undefined };
}

/** The chart in the consumer's own XState. */
async function runChart(createReconnectMachine, createActor, waitFor) {
  const closed = [];
  const machine = createReconnectMachine({
    connect: ({ input }) => ({ name: input.name, closed: new Promise(() => {}), close: () => closed.push(input.name) }),
  });
  const actor = createActor(machine, { input: { name: 'one' } });
  const states = [actor.getSnapshot().value];
  actor.start();
  const { value, context } = await waitFor(actor, (snapshot) => snapshot.matches('connected'));
  states.push(value);
  const session = context.session.name;
  actor.stop();
  return { states, session, closed };
}

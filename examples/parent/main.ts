/** Two servers, one app: the primary server is killed and comes back, and the app's messages take the other way meanwhile. */
import { type ActorRefFrom, createActor, waitFor } from 'xstate';
import { ServerProcess } from '../outages/server-process';
import { createTimeline } from '../outages/timeline';
import { app, type connection, type Urls } from './app';

type Connection = ActorRefFrom<typeof connection>;

const MESSAGE_MS = 50;
/** How many answers prove a route. */
const PROOF = 5;

const timeline = createTimeline();
const servers = { primary: new ServerProcess(), fallback: new ServerProcess() };
process.on('exit', () => Object.values(servers).forEach((server) => void server.killNow()));
await Promise.all(Object.values(servers).map((server) => server.start(() => {})));

const url = (name: keyof Urls): string => `ws://127.0.0.1:${servers[name].port}`;
const actor = createActor(app, { input: { primary: url('primary'), fallback: url('fallback') } });
const answers: Record<keyof Urls, number> = { primary: 0, fallback: 0 };

let route = '';
actor.subscribe(({ value }) => {
  if (value !== route) timeline.line('app', `now ${value}`);
  route = value;
});
actor.start();

for (const name of ['primary', 'fallback'] as const) {
  const connection = connectionOf(name);
  connection.on('connected', () => {
    timeline.line(name, 'connected');
    connection.getSnapshot().context.session?.socket.on('message', () => {
      answers[name] += 1;
    });
  });
  connection.on('disconnected', () => timeline.line(name, 'disconnected'));
}

const talk = setInterval(() => {
  const name = { onPrimary: 'primary', onFallback: 'fallback', offline: undefined }[actor.getSnapshot().value];
  if (name !== undefined)
    connectionOf(name as keyof Urls)
      .getSnapshot()
      .context.session?.socket.send('hello');
}, MESSAGE_MS);

await proven('onPrimary', 'primary');
timeline.line('OUTAGE', 'kill -9 of the primary server');
await servers.primary.end('SIGKILL');
await proven('onFallback', 'fallback');
timeline.line('OUTAGE', 'the primary server is back');
await servers.primary.start(() => {});
await proven('onPrimary', 'primary');

clearInterval(talk);
actor.stop();
console.log(`answers by the primary server ${answers.primary}, by the fallback ${answers.fallback}`);
process.exit();

/** The connection called `name`, out of the app's system. */
function connectionOf(name: keyof Urls): Connection {
  return actor.system.get(name) as Connection;
}

/** Resolves once the app uses that route and some of its messages have come back over it. */
async function proven(state: 'onPrimary' | 'onFallback', name: keyof Urls): Promise<void> {
  await waitFor(actor, ({ value }) => value === state);
  const enough = answers[name] + PROOF;
  while (answers[name] < enough) await new Promise((resolve) => setTimeout(resolve, MESSAGE_MS));
}

/** A page whose actors Stately's own inspector for XState 5 shows: its query says where, and with how much help. */
import { createBrowserInspector } from '@statelyai/inspect';
import { assign, createActor, setup } from 'xstate';
import { reconnect } from '../../src/index';
import { createSerializer, plainInspection } from '../../src/inspect';
import { createScriptedSession } from '../../src/testing';

const query = new URLSearchParams(location.search);
const serialize = createSerializer({ redact: ['token'] });
const help = query.get('help');
const inspector = createBrowserInspector({
  url: query.get('viewer') ?? '',
  iframe: document.querySelector('iframe'),
  ...(help === 'serialize' && { serialize }),
  ...(help === 'sanitize' && { sanitizeContext: serialize, sanitizeEvent: serialize }),
});
const inspect = help === 'plain' ? plainInspection(inspector.inspect, { redact: ['token'] }) : inspector.inspect;

/** A connection that fails once. */
function startConnection(): void {
  let dials = 0;
  reconnect({
    connect: () => {
      dials += 1;
      if (dials === 1) throw new Error('refused');
      return createScriptedSession();
    },
    backoff: { initial: 1, timeout: 0 },
    inspect,
  });
}

/** An actor that keeps what it is given in its context, as apps do. */
function startKeeper(kept: object): void {
  const keeper = setup({
    types: {} as { context: object; events: { type: 'keep'; kept: object } },
  }).createMachine({ id: 'keeper', context: {}, on: { keep: { actions: assign(({ event }) => event.kept) } } });
  createActor(keeper, { inspect }).start().send({ type: 'keep', kept });
}

const ERRORS = { error: new TypeError('bad address', { cause: new Error('no such host') }), token: 'hush' };
const HOSTILE = {
  session: {
    get socket() {
      throw new Error('hands off');
    },
  },
};
Object.assign(globalThis, { startConnection, startKeeper, ERRORS, HOSTILE });

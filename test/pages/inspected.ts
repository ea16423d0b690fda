/** A page with a connection that is inspected in a window: its query says which viewer, and where it is. */

import { reconnect } from '../../src/index';
import { inspectInWindow } from '../../src/inspect';
import { createScriptedSession } from '../../src/testing';

const query = new URLSearchParams(location.search);
const errors: string[] = [];
/** Whether there is anything to connect to; how often that was asked. */
const world = { up: false, dials: 0 };

const frame = document.querySelector('iframe');
const target = { popup: undefined, iframe: frame ?? undefined, parent: window.parent }[query.get('target') ?? 'popup'];
const inspector = inspectInWindow({
  url: query.get('viewer') ?? '',
  target,
  onError: ({ message }) => errors.push(message),
});
const connection = reconnect({
  connect: () => {
    world.dials += 1;
    if (!world.up) throw new Error('refused');
    return createScriptedSession();
  },
  backoff: { initial: '1h', max: '1h', timeout: 0 },
  inspect: inspector.inspect,
});
document.querySelector('button')?.addEventListener('click', () => inspector.open());
Object.assign(globalThis, { inspectInWindow, inspector, connection, errors, world });

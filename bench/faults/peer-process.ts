/** The process of one peer: it starts the peer on the terms it is given, and reports what the peer does and what it leaves uncaught. */
import { contenders, graphqlWsParams } from './contenders';
import type { Order, Report, Terms } from './protocol';

const name = process.argv[2];
const contender = [...contenders, graphqlWsParams].find((known) => known.name === name);
if (contender === undefined) throw new Error(`no peer is called ${JSON.stringify(name)}`);

const report = (message: Report): void => void process.send?.(message);
process.on('uncaughtException', (error, origin) =>
  report({ type: 'uncaught', origin, message: String((error as Error | undefined)?.message ?? error) }),
);
process.on('disconnect', () => process.exit());

let reconnectNow: (() => void) | undefined;
process.on('message', (order: Order) => {
  if (order.type === 'start') {
    reconnectNow = start(order.terms);
  } else {
    reconnectNow?.();
    report({ type: 'called' });
  }
});
report({ type: 'ready' });

function start(terms: Terms): (() => void) | undefined {
  let asked = 0;
  const tell = (type: 'opened' | 'closed') => (): void => {
    report({ type });
    if (terms.throws) throw new Error(`the listener for ${type} throws`);
  };
  return contender?.start(terms, {
    opened: tell('opened'),
    closed: tell('closed'),
    async asked() {
      asked += 1;
      report({ type: 'asked' });
      if (terms.hangs && asked === 1) await new Promise(() => {});
    },
  });
}

/** A message board without a framework: `reconnect` keeps it connected, `onNotice` and `summary` say what to tell of it. */
import { browser } from '../../src/browser';
import { reconnect } from '../../src/index';
import { websocket } from '../../src/websocket';
import type { Message } from '../web/board';

const TEXTS = {
  quiet: '',
  lost: 'The connection is lost.',
  restored: 'The connection is back.',
  failed: 'The server cannot be reached.',
};
/** Often enough for a countdown of seconds to look even. */
const LOOK_MS = 250;

const element = <T extends HTMLElement>(selector: string): T => document.querySelector<T>(selector)!;
const dial = websocket(location.origin.replace('http', 'ws'));
let messages: readonly Message[] = [];
let unsent: readonly Message[] = [];

const connection = reconnect({
  connect: async (attempt) => {
    const session = await dial(attempt);
    session.socket.addEventListener('message', ({ data }) => {
      messages = JSON.parse(data);
      unsent = unsent.filter(({ id }) => !messages.some((message) => message.id === id));
      showMessages();
    });
    // Again: nobody knows what the last session still delivered, and the server knows which ones it has.
    for (const message of unsent) session.socket.send(JSON.stringify(message));
    return session;
  },
  backoff: { initial: '1s', max: '10s', timeout: '1m' },
  environment: browser(),
});

let ticking: number | undefined;
connection.onNotice((notice) => {
  element('.banner').dataset['notice'] = notice;
  element('.banner p').textContent = TEXTS[notice];
  clearInterval(ticking);
  if (notice !== 'lost') return;
  showNext();
  ticking = window.setInterval(showNext, LOOK_MS);
});
element('#retry').onclick = () => connection.retry();

element('#post').onsubmit = (event) => {
  event.preventDefault();
  const field = element<HTMLInputElement>('#post input');
  const message = { id: crypto.randomUUID(), text: field.value };
  if (message.text === '') return;
  field.value = '';
  unsent = [...unsent, message];
  connection.session?.socket.send(JSON.stringify(message));
  showMessages();
};

function showNext(): void {
  const { retryIn, state } = connection.summary();
  const next = retryIn === undefined ? '' : `Next try in ${Math.ceil(retryIn / 1_000)} s`;
  element('#next').textContent = state === 'connecting' ? 'Trying …' : next;
}

function showMessages(): void {
  const items = [...messages, ...unsent].map((message) => {
    const item = document.createElement('li');
    item.textContent = message.text;
    item.classList.toggle('unsent', unsent.includes(message));
    return item;
  });
  element('ol').replaceChildren(...items);
}

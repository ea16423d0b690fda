/** A message board that stays connected, and tells of it only when it matters. */
import { type FormEvent, useEffect, useState } from 'react';
import { browser } from '../../src/browser';
import type { ConnectArgs } from '../../src/index';
import { useReconnect } from '../../src/react';
import { websocket } from '../../src/websocket';
import type { Message } from '../web/board';
import { Banner } from './banner';

export function App({ url }: { url: string }) {
  const { session, ...connection } = useReconnect({
    connect: (attempt: ConnectArgs<string>) => websocket<string>(attempt.input)(attempt),
    input: url,
    backoff: { initial: '1s', max: '10s', timeout: '1m' },
    environment: browser(),
  });
  const [messages, setMessages] = useState<readonly Message[]>([]);
  const [unsent, setUnsent] = useState<readonly Message[]>([]);
  const [text, setText] = useState('');

  useEffect(() => {
    const listen = ({ data }: MessageEvent<string>): void => {
      const messages: readonly Message[] = JSON.parse(data);
      setMessages(messages);
      setUnsent((unsent) => unsent.filter(({ id }) => !messages.some((message) => message.id === id)));
    };
    session?.socket.addEventListener('message', listen);
    return () => session?.socket.removeEventListener('message', listen);
  }, [session]);

  // A new session gets them again: nobody knows what the last one still delivered, and the server knows which ones it has.
  useEffect(() => {
    for (const message of unsent) session?.socket.send(JSON.stringify(message));
  }, [session, unsent]);

  const post = (event: FormEvent): void => {
    event.preventDefault();
    if (text !== '') setUnsent([...unsent, { id: crypto.randomUUID(), text }]);
    setText('');
  };

  return (
    <>
      <Banner {...connection} />
      <main>
        <h1>Message board</h1>
        <ol>
          {messages.map(({ id, text }) => (
            <li key={id}>{text}</li>
          ))}
          {unsent.map(({ id, text }) => (
            <li key={id} className="unsent">
              {text}
            </li>
          ))}
        </ol>
        <form onSubmit={post}>
          <input aria-label="Message" value={text} onChange={({ target }) => setText(target.value)} />
          <button type="submit">Post</button>
        </form>
      </main>
    </>
  );
}

/** Buttons for the events that an actor would take now, and an editor for those that bring something along. @jsxImportSource preact */
import type { JSX } from 'preact';
import { useRef, useState } from 'preact/hooks';
import type { Link } from './link';
import type { ViewedActor } from './model';
import { isReconnect, possibleEvents } from './possible-events';

export function EventButtons({ actor, link }: { actor: ViewedActor; link: Link }): JSX.Element {
  const { machine, state } = actor;
  const { main, others } = possibleEvents(machine, state.value);
  const [draft, setDraft] = useState<string>();
  const dialog = useRef<HTMLDialogElement>(null);
  const edit = (type: string): void => {
    setDraft(JSON.stringify(draftOf(actor, type), null, 2));
    dialog.current?.showModal();
  };
  // An update without what it brings would take it away.
  const wantsData = (type: string): boolean => type === 'update' && isReconnect(machine);
  return (
    <>
      <fieldset class="events">
        <legend class="unseen">Send an event</legend>
        <div>
          {main.map((type, index) => (
            <button
              key={type}
              type="button"
              class={index === 0 ? 'primary' : undefined}
              aria-haspopup={wantsData(type) ? 'dialog' : undefined}
              onClick={() => (wantsData(type) ? edit(type) : send(link, actor, { type }))}
            >
              {type}
              {wantsData(type) && '…'}
            </button>
          ))}
        </div>
        <div class="others">
          {others.map((type) => (
            <button key={type} type="button" class="small" onClick={() => send(link, actor, { type })}>
              {type}
            </button>
          ))}
          <button type="button" class="small" aria-haspopup="dialog" onClick={() => edit(main[0] ?? others[0] ?? '')}>
            other…
          </button>
        </div>
      </fieldset>
      <dialog ref={dialog} aria-labelledby="event-editor" onClose={() => setDraft(undefined)}>
        {draft !== undefined && (
          <Editor
            draft={draft}
            onCancel={() => dialog.current?.close()}
            onSend={(event) => {
              send(link, actor, event);
              dialog.current?.close();
            }}
          />
        )}
      </dialog>
    </>
  );
}

type SentEvent = { type: string; [field: string]: unknown };

interface EditorProps {
  draft: string;
  onCancel: () => void;
  onSend: (event: SentEvent) => void;
}

function Editor({ draft, onCancel, onSend }: EditorProps): JSX.Element {
  const [text, setText] = useState(draft);
  const [problem, setProblem] = useState<string>();
  const submit = (event: Event): void => {
    event.preventDefault();
    try {
      onSend(readEvent(text));
    } catch (error) {
      setProblem((error as Error).message);
    }
  };
  return (
    <form class="editor" onSubmit={submit}>
      <h3 id="event-editor">Send an event</h3>
      <label>
        Event, as JSON
        <textarea
          rows={8}
          spellcheck={false}
          value={text}
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : 'event-problem'}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
      </label>
      {problem !== undefined && (
        <p id="event-problem" class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="actions">
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
        <button type="submit" class="primary">
          Send
        </button>
      </div>
    </form>
  );
}

function readEvent(text: string): SentEvent {
  let event: unknown;
  try {
    event = JSON.parse(text);
  } catch (error) {
    throw new Error(`This is no JSON: ${(error as Error).message}`);
  }
  const { type } = (event ?? {}) as { type?: unknown };
  if (typeof type !== 'string' || type === '') throw new Error('An event is an object with a "type" that is text.');
  return event as SentEvent;
}

/** What there is to begin with: an update of a connection starts from the input that it has. */
function draftOf({ machine, state: { context } }: ViewedActor, type: string): SentEvent {
  if (type !== 'update' || !isReconnect(machine)) return { type };
  return { type, input: (context as { input?: unknown } | null)?.input ?? null };
}

/** In XState 4's envelope as well, for apps of version 4: there `origin` is the receiver. */
function send(link: Link, { sessionId }: ViewedActor, event: SentEvent): void {
  const envelope = { name: event.type, data: event, $$type: 'scxml', type: 'external', origin: sessionId };
  link.send({ type: 'xstate.event', event: JSON.stringify(envelope), sessionId });
}

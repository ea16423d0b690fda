/** One actor: its state and how it came to it, and what can be done about it. @jsxImportSource preact */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ChartView } from './chart-view';
import { type ConnectionFacts, factsOf } from './connection';
import { Countdown } from './countdown';
import { EventButtons } from './event-buttons';
import { EventLog } from './event-log';
import { Failures } from './failures';
import { formatMs, toneOf } from './format';
import type { Link } from './link';
import type { ViewedActor } from './model';
import { TimelineView } from './timeline-view';
import { useNow } from './use-now';
import { ValueTree } from './value-tree';

interface ActorViewProps {
  actor: ViewedActor;
  actors: readonly ViewedActor[];
  link: Link;
  onChoose: (sessionId: string) => void;
}

export function ActorView({ actor, actors, link, onChoose }: ActorViewProps): JSX.Element {
  const facts = factsOf(actor);
  const { label, presence, name, state } = actor;
  const parent = actors.find(({ sessionId }) => sessionId === actor.parent);
  return (
    <>
      <section
        class={`hero ${presence} ${presence === 'lost' ? toneOf(undefined) : toneOf(label)}`}
        aria-labelledby="name"
      >
        <Countdown facts={presence === 'running' ? facts : undefined} />
        <div class="now">
          <p class="who">
            <span id="name" class="actor-name">
              {name}
            </span>
            <code>{actor.sessionId}</code>
            {parent !== undefined && (
              <span>
                child of{' '}
                <button type="button" class="plain" onClick={() => onChoose(parent.sessionId)}>
                  {parent.name}
                </button>
              </span>
            )}
          </p>
          <h2>{label}</h2>
          <p class="why">{presence === 'running' ? <Why actor={actor} facts={facts} /> : describeAbsence(actor)}</p>
          <Announcement text={`${name}: ${presence === 'running' ? label : describeAbsence(actor)}`} />
        </div>
        {presence === 'running' && <EventButtons actor={actor} link={link} />}
      </section>
      <TimelineView actor={actor} />
      <div class="panels">
        <div class="side">
          <ChartView actor={actor} />
          <EventLog log={actor.log} />
        </div>
        <div class="side">
          {facts !== undefined && <Failures history={facts.history} />}
          <section class="panel" aria-labelledby="context">
            <h3 id="context">Context</h3>
            <ValueTree value={state.context ?? {}} label="Context" />
            {state.output !== undefined && <Outcome title="Output" value={state.output} />}
            {state.error !== undefined && <Outcome title="Error" value={state.error} />}
          </section>
        </div>
      </div>
    </>
  );
}

function Outcome({ title, value }: { title: string; value: unknown }): JSX.Element {
  return (
    <>
      <h4>{title}</h4>
      <ValueTree value={value} label={title} />
    </>
  );
}

function describeAbsence({ presence, state: { status } }: ViewedActor): string {
  if (presence === 'lost') return 'out of sight: this is how it was when the app was last heard of';
  return status === 'error' ? 'failed, and runs no more' : status === 'done' ? 'done, and runs no more' : 'stopped';
}

function Why({ actor, facts }: { actor: ViewedActor; facts: ConnectionFacts | undefined }): JSX.Element {
  const connectedAt = facts?.connectedAt;
  const now = useNow(connectedAt !== undefined);
  const words: (string | undefined)[] =
    facts === undefined
      ? [actor.taken && `after ${actor.taken.event || 'a transition of its own'}`]
      : [
          facts.attempt > 0 && actor.label !== 'connected' ? `attempt ${facts.attempt}` : undefined,
          connectedAt !== undefined ? `up for ${formatMs(Math.max(0, now - connectedAt))}` : undefined,
          facts.sessions > 0 ? `${facts.sessions} ${facts.sessions === 1 ? 'session' : 'sessions'} so far` : undefined,
          facts.waitReason ?? (actor.label === 'connecting' ? facts.reason : undefined),
          facts.gaveUp !== undefined ? `gave up: ${facts.gaveUp}` : undefined,
          facts.online ? undefined : 'offline',
          facts.suspended ? 'suspended' : undefined,
        ];
  return (
    <>
      {words.filter((word) => word !== undefined).join(' · ')}
      {facts?.failure !== undefined && <span class="reason">{facts.failure.message}</span>}
    </>
  );
}

/** How long a state must last to be told of to those who listen. */
const SETTLED_MS = 700;

/** What a screen reader says; not each of ten states within a second. */
function Announcement({ text }: { text: string }): JSX.Element {
  const [said, say] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => say(text), SETTLED_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <span class="unseen" role="status">
      {said}
    </span>
  );
}

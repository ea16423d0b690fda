/** The whole page: who there is on the left, the one that was chosen beside it. @jsxImportSource preact */
import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ActorList } from './actor-list';
import { ActorView } from './actor-view';
import type { Link, LinkState } from './link';
import { LinkStatus } from './link-status';
import type { Model, ViewedActor } from './model';
import { isReconnect } from './possible-events';
import { Welcome } from './welcome';

interface AppProps {
  model: Model;
  actors: readonly ViewedActor[];
  link: Link;
  linkState: LinkState;
  problem: string | undefined;
}

export function App({ model, actors, link, linkState, problem }: AppProps): JSX.Element {
  // In the address, so that it outlives a reload.
  const [chosen, setChosen] = useState(() => location.hash.slice(1));
  const actor = actors.find(({ sessionId }) => encodeURIComponent(sessionId) === chosen) ?? mostInteresting(actors);
  const choose = (sessionId: string): void => {
    const fragment = encodeURIComponent(sessionId);
    history.replaceState(null, '', `#${fragment}`);
    setChosen(fragment);
  };
  const title = actor === undefined ? 'Statechart viewer' : `${actor.label} · ${actor.name}`;
  useEffect(() => {
    document.title = title;
  }, [title]);

  return (
    <>
      <button type="button" class="skip" onClick={() => document.querySelector<HTMLElement>('#actor')?.focus()}>
        Skip to the chosen actor
      </button>
      <header class="bar">
        <h1>
          <Mark />
          Statechart viewer
        </h1>
        <LinkStatus link={link} state={linkState} />
      </header>
      {problem !== undefined && (
        <p class="problem" role="alert">
          The app said something that could not be read: {problem}
        </p>
      )}
      {actor === undefined ? (
        <Welcome linkState={linkState} />
      ) : (
        <div class="columns">
          <ActorList actors={actors} chosen={actor.sessionId} onChoose={choose} onForget={() => model.forgetEnded()} />
          <main id="actor" tabIndex={-1}>
            <ActorView key={actor.sessionId} actor={actor} actors={actors} link={link} onChoose={choose} />
          </main>
        </div>
      )}
    </>
  );
}

/** A connection of ours, one that runs, or else whoever there is. */
function mostInteresting(actors: readonly ViewedActor[]): ViewedActor | undefined {
  const running = actors.filter(({ presence }) => presence === 'running');
  return running.find(({ machine }) => isReconnect(machine)) ?? running[0] ?? actors[0];
}

function Mark(): JSX.Element {
  return (
    <svg class="mark" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M16.5 8A7 7 0 1 0 17 11" />
      <path d="M17.5 3.5V8H13" />
    </svg>
  );
}

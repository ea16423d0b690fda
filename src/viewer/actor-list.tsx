/** The actors of the app, children below their parents, to choose from. @jsxImportSource preact */
import type { JSX } from 'preact';
import { memo } from 'preact/compat';
import { useState } from 'preact/hooks';
import { toneOf } from './format';
import type { ViewedActor } from './model';

interface ActorListProps {
  actors: readonly ViewedActor[];
  chosen: string;
  onChoose: (sessionId: string) => void;
  onForget: () => void;
}

/** From how many actors on they can be searched. */
const MANY = 8;

export function ActorList({ actors, chosen, onChoose, onForget }: ActorListProps): JSX.Element {
  const [query, setQuery] = useState('');
  const [showsEnded, setShowsEnded] = useState(false);
  const words = query.toLowerCase().split(/\s+/u).filter(Boolean);
  const matches = ({ name, label }: ViewedActor): boolean =>
    words.every((word) => `${name} ${label}`.toLowerCase().includes(word));
  const shown = actors.filter(({ presence, sessionId }) => showsEnded || presence !== 'ended' || sessionId === chosen);
  const ended = actors.filter(({ presence }) => presence === 'ended').length;
  const found = words.length === 0 ? shown : shown.filter(matches);
  const rows = words.length === 0 ? asTree(shown) : found.map((actor) => ({ actor, depth: 0 }));
  return (
    <nav class="actors" aria-labelledby="actors">
      <div class="heading">
        <h2 id="actors">Actors</h2>
        <span class="muted">{actors.length - ended}</span>
      </div>
      {(shown.length > MANY || query !== '') && (
        <input
          type="search"
          aria-label="Search actors by name or state"
          placeholder="Search name or state"
          value={query}
          onInput={({ currentTarget }) => setQuery(currentTarget.value)}
        />
      )}
      <ul>
        {rows.map(({ actor, depth }) => (
          <Row
            key={actor.sessionId}
            actor={actor}
            depth={depth}
            isChosen={actor.sessionId === chosen}
            onChoose={onChoose}
          />
        ))}
      </ul>
      {found.length === 0 && <p class="muted">None of them matches.</p>}
      {ended > 0 && (
        <div class="ended">
          <label>
            <input
              type="checkbox"
              checked={showsEnded}
              onChange={({ currentTarget }) => setShowsEnded(currentTarget.checked)}
            />
            {ended} ended
          </label>
          {showsEnded && (
            <button type="button" class="small" onClick={onForget}>
              Forget
            </button>
          )}
        </div>
      )}
    </nav>
  );
}

interface RowProps {
  actor: ViewedActor;
  depth: number;
  isChosen: boolean;
  onChoose: (sessionId: string) => void;
}

const Row = memo(
  ({ actor: { sessionId, name, label, presence }, depth, isChosen, onChoose }: RowProps) => (
    <li class={`depth-${Math.min(depth, 6)}`}>
      <button
        type="button"
        class={`actor ${presence}`}
        aria-current={isChosen ? 'true' : undefined}
        onClick={() => onChoose(sessionId)}
      >
        <span class={`dot ${toneOf(presence === 'lost' ? undefined : label)}`} aria-hidden="true" />
        <span class="name">
          {depth > 0 && <span class="unseen">{'child, '}</span>}
          {name}
        </span>
        <span class="state">
          {presence === 'lost' ? 'out of sight' : presence === 'ended' ? `${label}, ended` : label}
        </span>
      </button>
    </li>
  ),
  (before, after) =>
    before.actor.label === after.actor.label &&
    before.actor.presence === after.actor.presence &&
    before.actor.name === after.actor.name &&
    before.depth === after.depth &&
    before.isChosen === after.isChosen,
);

/** Each actor before its children. */
function asTree(actors: readonly ViewedActor[]): { actor: ViewedActor; depth: number }[] {
  const known = new Set(actors.map(({ sessionId }) => sessionId));
  const byParent = new Map<string | undefined, ViewedActor[]>();
  for (const actor of actors) {
    const parent = actor.parent !== undefined && known.has(actor.parent) ? actor.parent : undefined;
    byParent.set(parent, [...(byParent.get(parent) ?? []), actor]);
  }
  const below = (parent: string | undefined, depth: number): { actor: ViewedActor; depth: number }[] =>
    (byParent.get(parent) ?? []).flatMap((actor) => [{ actor, depth }, ...below(actor.sessionId, depth + 1)]);
  return below(undefined, 0);
}

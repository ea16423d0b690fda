/** What @xstate/react does in StrictMode. */

interface Inner {
  _snapshot: { children?: Record<string, Inner> };
  _processingStatus: number;
  observers: Set<unknown>;
  stop(): void;
  system: { _snapshot: unknown; getSnapshot(): unknown };
}

/** Stops the actor and puts its snapshots back, so that it can start again. */
export function rehydrate(actor: object): void {
  const kept: [Inner, Inner['_snapshot']][] = [];
  const visit = (inner: Inner): void => {
    kept.push([inner, inner._snapshot]);
    inner.observers = new Set();
    for (const child of Object.values(inner._snapshot.children ?? {})) visit(child);
  };
  const root = actor as Inner;
  visit(root);
  const system = root.system.getSnapshot();
  root.stop();
  root.system._snapshot = system;
  for (const [inner, snapshot] of kept) {
    inner._processingStatus = 0;
    inner._snapshot = snapshot;
  }
}

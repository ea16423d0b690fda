/** Which states of a machine a state value stands for. */
import type { StateNodeDefinition } from '../inspect';

/** The active states of `value`, each as the keys on the way to it, parents before their children. */
export function activePaths(value: unknown): string[][] {
  if (typeof value === 'string') return [[value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[key], ...activePaths(inner).map((path) => [key, ...path])]);
}

/** `value` in a few words: `connected`, `form.editing`, or `music.on, light.off`. */
export function nameState(value: unknown): string {
  const paths = activePaths(value).map((path) => path.join('.'));
  const leaves = paths.filter((path) => !paths.some((other) => other.startsWith(`${path}.`)));
  return leaves.join(', ') || 'nowhere';
}

/** The active states as they were defined, parents before their children, the machine itself first. */
export function activeNodes(machine: StateNodeDefinition, value: unknown): StateNodeDefinition[] {
  const find = (path: readonly string[]): StateNodeDefinition | undefined =>
    path.reduce<StateNodeDefinition | undefined>((node, key) => node?.states[key], machine);
  return [machine, ...activePaths(value).flatMap((path) => find(path) ?? [])];
}

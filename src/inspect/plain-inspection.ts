/** Plain data for other inspectors, such as Stately's, which turn errors into `{}` and stumble over what JSON cannot say. */
import type { InspectionEvent, Observer } from 'xstate';
import { createSerializer, type SerializerOptions } from './serialize';
import type { InspectedActor } from './service';

/**
 * Wraps the `inspect` of another inspector: the snapshots and events that it is given are copies made by `createSerializer`, at
 * the moment they happen. Actors stay what they are, but for the snapshot that they show.
 */
export function plainInspection(
  inspect: Observer<InspectionEvent> | ((event: InspectionEvent) => void),
  options: SerializerOptions = {},
): (event: InspectionEvent) => void {
  const serialize = createSerializer(options);
  const tell = typeof inspect === 'function' ? inspect : (event: InspectionEvent) => inspect.next?.(event);
  return (event) => {
    switch (event.type) {
      case '@xstate.actor':
        return tell({ ...event, actorRef: withPlainSnapshot(event.actorRef as InspectedActor) });
      case '@xstate.event':
        return tell({ ...event, event: serialize(event.event) });
      case '@xstate.action':
        return tell({ ...event, action: serialize(event.action) });
      default:
        return tell({ ...event, event: serialize(event.event), snapshot: serialize(event.snapshot) });
    }
  };

  /** The actor, but for its snapshot: it may be asked for later, when it has one. */
  function withPlainSnapshot(actor: InspectedActor): InspectedActor {
    const getSnapshot = (): unknown => serialize(actor.getSnapshot() as unknown);
    return Object.create(actor, { getSnapshot: { value: getSnapshot } }) as InspectedActor;
  }
}

/** Shows the actors of XState systems to viewers, whatever the wire between them. */
import type { AnyActorRef, InspectionEvent } from 'xstate';
import { isReserved } from './event-names';
import { type Request, readRequest } from './messages';
import type { AppMessage } from './protocol';
import { Registry } from './registry';
import { createSerializer, type SerializerOptions } from './serialize';
import type { InspectedActor } from './service';

export interface InspectorOptions extends SerializerOptions {
  /** Told of what went wrong between the app and a viewer; the app itself goes on. Default: `console.error`. */
  onError?: ((error: Error) => void) | undefined;
}

/** A viewer's end of a wire. */
export interface ViewerLink {
  /** Takes what the viewer says: a `ViewerMessage`, as an object or as JSON. Ignores what is none. Never throws. */
  receive(message: unknown): void;
  /** The viewer is gone: it is told nothing more, unless it says `xstate.inspecting` again. */
  close(): void;
}

export interface Inspector {
  /** Give it to `createActor(machine, { inspect })` or to `reconnect({ inspect })`. Never throws. */
  readonly inspect: (event: InspectionEvent) => void;
  /** Shows an actor that already runs, and all of its system: its root, the children of that, and whoever comes later. */
  attach(actor: AnyActorRef): void;
  /** Adds a viewer; `send` takes a message to it. It is told nothing before it says `xstate.inspecting`. */
  connect(send: (message: AppMessage) => void): ViewerLink;
  /** Says goodbye to the viewers, and shows nothing from now on. */
  stop(): void;
}

/** Creates an inspector for a wire of your own: see `connect`. */
export function createInspector(options: InspectorOptions = {}): Inspector {
  const report = createReport(options.onError);
  /** Those who have said that they are ready, as what sends to them. */
  const viewers = new Set<(message: AppMessage) => void>();
  const subscriptions = new Set<{ unsubscribe(): void }>();
  let stopped = false;

  const contain = (work: () => void): void => {
    if (stopped) return;
    try {
      work();
    } catch (error) {
      report(error);
    }
  };

  const registry = new Registry(
    {
      get present() {
        return viewers.size > 0;
      },
      tell: (make) =>
        contain(() => {
          if (viewers.size === 0) return;
          const message = make();
          for (const send of [...viewers]) send(message);
        }),
    },
    createSerializer(options),
  );

  const inspect = (event: InspectionEvent): void => contain(() => registry.observe(event));

  const deliver = ({ sessionId, event }: Request & { type: 'event' }): void => {
    const service = registry.find(sessionId);
    if (!service?.active) throw new Error(`a viewer sent "${event.type}" to "${sessionId}", which is not running`);
    if (isReserved(event.type)) {
      throw new Error(`a viewer sent "${event.type}" to "${sessionId}": that is for XState itself to send`);
    }
    service.actor.send(event);
  };

  return {
    inspect,

    attach: (actor) =>
      contain(() => {
        let root = actor as InspectedActor;
        while (root._parent !== undefined) root = root._parent;
        const { system } = root;
        const members = family(root);
        if (members.length === 0) return;
        if (!registry.all().some((service) => service.actor.system === system)) {
          subscriptions.add(system.inspect(inspect));
        }
        for (const member of members) registry.add(member);
      }),

    connect(sendMessage) {
      const send = (message: AppMessage): void => {
        try {
          sendMessage(message);
        } catch (error) {
          viewers.delete(send);
          report(error);
        }
      };
      return {
        receive: (message) =>
          contain(() => {
            const request = readRequest(message);
            if (request?.type === 'event') deliver(request);
            if (request?.type !== 'inspecting') return;
            viewers.add(send);
            for (const service of registry.all()) {
              if (viewers.has(send)) send(service.register());
            }
          }),
        close: () => viewers.delete(send),
      };
    },

    stop() {
      for (const send of [...viewers]) send({ type: 'xstate.disconnect' });
      stopped = true;
      viewers.clear();
      registry.clear();
      for (const subscription of subscriptions) subscription.unsubscribe();
    },
  };
}

/** An actor and all who descend from it, as far as they run. */
function family(actor: InspectedActor): InspectedActor[] {
  const { status, children = {} } = actor.getSnapshot() as {
    status: string;
    children?: Record<string, InspectedActor>;
  };
  return status === 'active' ? [actor, ...Object.values(children).flatMap(family)] : [];
}

/** Gives errors to `onError`, which may itself be broken. */
export function createReport(onError: InspectorOptions['onError']): (error: unknown) => void {
  const tell = onError ?? ((error) => console.error('xstate-reconnect/inspect:', error));
  return (error) => {
    try {
      tell(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // One that throws has nobody left to be told.
    }
  };
}

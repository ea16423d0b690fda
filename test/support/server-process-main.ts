/** What runs in the process of a `ServerProcess`: a fault server on the port that was asked for. */
import { type Behaviour, startFaultServer } from './fault-server';

const server = await startFaultServer({ port: Number(process.argv[2]) });
const report = (): void => void process.send?.(server.port);
process.on('message', (behaviour: Behaviour) => {
  server.treat(behaviour);
  report();
});
// Even a test run that was killed leaves no server behind.
process.on('disconnect', () => process.exit());
report();

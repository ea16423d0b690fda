/** What runs in the process of a `ViewerApp`: a connection that cannot be made, and its viewer on the port that was asked for. */
import { reconnect } from '../../src/index';
import { serveViewer } from '../../src/inspect/node';

const viewer = await serveViewer({ port: Number(process.argv[2]) });
reconnect({
  connect: () => Promise.reject(new Error(`refused by process ${process.pid}`)),
  backoff: { initial: '1h', max: '1h', timeout: 0 },
  inspect: viewer.inspect,
});
// Even a test run that was killed leaves no app behind.
process.on('disconnect', () => process.exit());
process.send?.(viewer.url);
